"""Configurations on their way in: before a commit, during a push, and behind it."""
