"""Pages, for people."""
