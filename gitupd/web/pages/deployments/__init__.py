"""Pages about deployments: what is live and what was, one of them, and deciding."""
