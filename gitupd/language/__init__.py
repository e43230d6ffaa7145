"""Languages that people read: their texts, how they write numbers and times, and sentences told again in them."""
