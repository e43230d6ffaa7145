"""The server's own certificate, and the authorities whose certificates identify devices."""
