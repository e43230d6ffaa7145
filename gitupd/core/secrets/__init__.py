"""Templates and what is filled into them; what of a configuration is secret, and who may have it."""
