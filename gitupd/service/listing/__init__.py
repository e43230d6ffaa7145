"""Lists of devices: their columns."""
