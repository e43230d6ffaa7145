"""The repositories over HTTP, for git: who may, and ``git http-backend`` behind it."""
