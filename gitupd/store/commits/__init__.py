"""What is remembered of commits: those that were seen, what people said of them, and when nothing is deployed."""
