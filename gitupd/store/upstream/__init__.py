"""What is remembered of the repository that a site follows."""
