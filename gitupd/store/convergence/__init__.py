"""How far deployments have come: which devices run what, and what is kept of that."""
