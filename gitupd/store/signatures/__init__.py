"""Signatures of commits: read, and held against the keys of those who may sign."""
