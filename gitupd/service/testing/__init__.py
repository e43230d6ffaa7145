"""Render tests: running them, what they reach, and the scripts that they hold devices to."""
