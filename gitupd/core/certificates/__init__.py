"""Certificates of devices: what one has, what it needs next, and what a request for a new one says."""
