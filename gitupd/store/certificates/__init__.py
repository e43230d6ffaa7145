"""Certificates as files: the only home of cryptography."""
