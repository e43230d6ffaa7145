"""The language of the pages: which one somebody reads, its texts, and its forms of numbers and times."""
