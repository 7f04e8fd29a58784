"""Pure rules of the notifications room."""
