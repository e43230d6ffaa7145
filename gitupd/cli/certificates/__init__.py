"""Commands on certificates of devices, on who signs them, and on whose identify devices."""
