"""A repository elsewhere that a site follows: its address, what may be taken over, who says that there is news."""
