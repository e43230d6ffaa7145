"""Proving that a site tells devices what the server told them that it replaces."""
