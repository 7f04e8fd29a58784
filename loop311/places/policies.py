"""Pure rules of the places room."""
