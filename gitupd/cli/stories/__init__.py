"""Commands on what happened to one device."""
