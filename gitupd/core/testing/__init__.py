"""What render tests of a configuration reach."""
