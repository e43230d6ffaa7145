"""TLS in front of HTTP: certificates of the server, handshakes, and what stands before them."""
