"""The history of what devices upload: the inbox in front of it, the repository, and the index that answers."""
