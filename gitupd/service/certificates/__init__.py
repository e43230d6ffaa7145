"""The server's own certificate, and the authorities whose certificates identify devices, and roll-outs to devices."""
