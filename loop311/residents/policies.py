"""Pure rules of the residents room."""
