"""Letting devices in: who knocks, by which code, and who was turned away."""
