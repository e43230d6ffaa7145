"""Pages about backups: what there is, what changed, how two differ, and how to go back."""
