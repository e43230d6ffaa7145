"""Repositories of Git: what is read of them, what is measured before, and the program ``git``."""
