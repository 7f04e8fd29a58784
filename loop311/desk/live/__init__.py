"""What others change appears on open pages: heard from the ledger by LISTEN, told by server-sent events, shown by `live.js`."""
