"""Comparing two commits for a whole fleet."""
