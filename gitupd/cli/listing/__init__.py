"""Commands on what lists of devices show: searches that are saved."""
