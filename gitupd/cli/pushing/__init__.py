"""Commands of hooks, and of CI, around a push."""
