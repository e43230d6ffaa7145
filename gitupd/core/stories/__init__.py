"""What happened to a device: what of it is worth keeping, and how it is told."""
