"""Pure rules of the callbacks room."""
