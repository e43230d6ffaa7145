"""What gitupd does: a use case each, with the clock and the caches that the core does without."""
