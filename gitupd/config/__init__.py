"""What is parsed: files of a configuration repository become a snapshot, or every problem at once."""
