"""Following a repository elsewhere: fetching, and what becomes of what was fetched."""
