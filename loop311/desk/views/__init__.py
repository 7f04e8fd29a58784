"""Every page of the desk: parse, permit, call, show."""
