"""Certificates as files, and held against the authorities that a site trusts: the only home of cryptography."""
