"""Plans of a change that are kept: the table, and how a comparison is written down."""
