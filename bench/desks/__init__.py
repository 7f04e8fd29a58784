"""The concierge's screen as a browser uses it: signed in, over HTTP, the very addresses that its pages name."""
