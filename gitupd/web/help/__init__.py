"""The documentation as pages of help: read, divided, rendered and searched."""
