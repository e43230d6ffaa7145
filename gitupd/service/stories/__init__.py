"""The story of a device, from all that remembers a part of it."""
