"""The gates that a commit passes before it is deployed: a module for each, with a function that yields objections."""
