"""The HTTP side: devices by a lean ASGI application, everything else by Flask."""
