"""Backups: taken in, committed, compared, searched, mirrored, and put back."""
