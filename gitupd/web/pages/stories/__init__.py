"""Pages of what happened to one device."""
