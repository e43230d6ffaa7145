"""Requests to servers elsewhere that go to the address that somebody named, and nowhere else."""

from __future__ import annotations

from urllib.request import HTTPRedirectHandler


class NoRedirects(HTTPRedirectHandler):
    """Follows nobody: what is sent, such as a token, is for the host that it was made for."""

    def redirect_request(self, *_arguments: object, **_named: object) -> None:
        """Leave the answer as it is, an error."""
