"""Parts of searches for devices."""
