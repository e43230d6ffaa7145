"""The fleet of a site that is elsewhere, asked of its API."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.request import Request

from gitupd.errors import GitupdError
from gitupd.service.elsewhere import AnswerFromElsewhere, Unanswered, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 30
_AT_ONCE = 1_000
_MOST_PAGES = 1_000
_LARGEST_PAGE = 64 * 2**20
_LONGEST_REASON = 200


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
        answer = ask(Request(address, headers=headers), _SECONDS, _LARGEST_PAGE + 1)  # noqa: S310 - looked at
    except (Unanswered, ValueError) as error:
        raise GitupdError(f"{where} can't be asked: {error}") from error
    if not answer.is_good:
        raise GitupdError(f"{where} answers with {answer.status}: {_reason(answer)}")
    if len(answer.content) > _LARGEST_PAGE:
        raise GitupdError(f"{where} answers with more than {_LARGEST_PAGE:,} bytes, which are no devices")
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise GitupdError(f"{where} answers with no JSON; is it a gitupd site?") from error


def _reason(answer: AnswerFromElsewhere) -> str:
    """Return what the site says of a refusal, in a line."""
    with suppress(ValueError, RecursionError):
        said = json.loads(answer.content[:2_000])
        if isinstance(said, dict) and said.get("detail"):
            return " ".join(str(said["detail"]).split())[:_LONGEST_REASON]
    return answer.reason
