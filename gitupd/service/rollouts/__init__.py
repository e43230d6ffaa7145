"""The roll-outs of a whole fleet: counted and listed, handed in by the hundred, and what is to be looked at."""
