"""Residents at the desk: found, written down, everything of one on one page, two of them made one."""
