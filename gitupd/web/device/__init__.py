"""What devices ask: polls, uploads, firmware, restores; ASGI applications without Flask."""
