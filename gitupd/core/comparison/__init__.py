"""What a change of the configuration means for devices: differences of scripts, their consequences, and groups."""
