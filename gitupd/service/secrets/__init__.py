"""Encrypted files in a checkout of the configuration: written, read, and encrypted to other keys."""
