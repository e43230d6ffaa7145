"""Certificates: whom to trust, and the server's own."""
