"""Backups: what counts as a change, what it is about, how it stands to what was wanted, and how to go back."""
