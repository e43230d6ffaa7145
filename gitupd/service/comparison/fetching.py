"""The fleet of a site that is elsewhere, asked of its API."""

from __future__ import annotations

import json
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener

from gitupd.errors import GitupdError
from gitupd.service.redirects import NoRedirects

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 30
_AT_ONCE = 1_000
_MOST_PAGES = 1_000
_LARGEST_PAGE = 64 * 2**20
_LONGEST_REASON = 200


_OPENER = build_opener(NoRedirects)


def fetched_fleet(site: str, token: str) -> Iterator[dict[str, Any]]:
    """Yield the devices that the API of the *site* at this URL tells, as it tells them.

    Raises GitupdError if it can't be asked, or refuses.
    """
    root = site.rstrip("/")
    if not root.startswith(("http://", "https://")) or not root.isascii() or not root.isprintable() or " " in root:
        raise GitupdError(f"{site[:80]!a} is no URL of a site, such as https://gitupd.example")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise GitupdError("the token is no line of letters; make one on the page of your account, or by: gitupd users")
    done = 0
    for _ in range(_MOST_PAGES):
        page = _asked(f"{root}/api/v1/devices?sort=serial&limit={_AT_ONCE}&offset={done}", token)
        devices = page.get("devices") if isinstance(page, dict) else None
        if not isinstance(devices, list) or not all(isinstance(each, dict) for each in devices):
            raise GitupdError(f"{root} answers with something else than devices; is it a gitupd site?")
        yield from devices
        done += len(devices)
        if not devices or page.get("next") is None:
            return


def _asked(address: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "gitupd"}
    where = address.partition("/api/")[0]
    try:
        with _OPENER.open(Request(address, headers=headers), timeout=_SECONDS) as response:  # noqa: S310 - looked at
            content = response.read(_LARGEST_PAGE + 1)
    except HTTPError as error:
        with error:
            raise GitupdError(f"{where} answers with {error.code}: {_reason(error)}") from error
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise GitupdError(f"{where} can't be asked: {getattr(error, 'reason', error)}") from error
    if len(content) > _LARGEST_PAGE:
        raise GitupdError(f"{where} answers with more than {_LARGEST_PAGE:,} bytes, which are no devices")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise GitupdError(f"{where} answers with no JSON; is it a gitupd site?") from error


def _reason(error: HTTPError) -> str:
    """Return what the site says of a refusal, in a line."""
    content = b""
    with suppress(OSError, HTTPException):
        content = error.read(2_000)
    with suppress(ValueError, RecursionError):
        said = json.loads(content)
        if isinstance(said, dict) and said.get("detail"):
            return " ".join(str(said["detail"]).split())[:_LONGEST_REASON]
    return str(error.reason)
