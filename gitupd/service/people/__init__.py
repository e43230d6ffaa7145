"""People: who they are, how they log in, and how passwords are hashed."""
