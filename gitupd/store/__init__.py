"""What is remembered: Git repositories, the database, firmware files."""
