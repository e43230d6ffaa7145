"""Searches for devices that people have saved."""
