"""Deployments: which commit is live, what waits to be, and the step from one to the next."""
