"""The command that runs render tests, and its report for CI."""
