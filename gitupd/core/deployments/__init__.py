"""Deployments and the commits that they are of, as values."""
