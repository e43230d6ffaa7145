"""Commands on backups: the history, questions to it, and restores."""
