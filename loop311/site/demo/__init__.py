"""A fictional city, made from a seed: see README.md."""
