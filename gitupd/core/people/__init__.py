"""People: who they are and what they may, what they did, and how long whoever guesses has to wait."""
