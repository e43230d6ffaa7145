"""Emulated devices: they poll, execute, restart and upload as real ones do.

The package imports nothing else of gitupd, so that it can't share a mistake with the server.
"""
