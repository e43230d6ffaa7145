"""What is decided: pure functions and frozen values, without I/O, clock or environment."""
