"""What somebody wants to be told of, to whom it goes, and when it is tried again."""
