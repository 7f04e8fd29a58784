"""One module for each hot path; each has `measure` and yields results."""
