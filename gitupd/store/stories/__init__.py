"""What happened to devices, as far as nothing else remembers it."""
