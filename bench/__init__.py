"""How fast the hot paths are, each beside its floor: the same SQL run by pgbench on the same cluster in the same minute."""
