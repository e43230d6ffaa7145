"""Whether two servers tell devices the same: what is asked, how answers are compared, and what differs in all."""
