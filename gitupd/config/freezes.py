"""When deployments are frozen, as ``policies/deploy.yaml`` says."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from gitupd.core.deployments.freezing import DAYS, FreezeRule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gitupd.config.documents import Document
    from gitupd.errors import Problem


def freezes(document: Document, problems: list[Problem]) -> tuple[FreezeRule, ...]:
    """Return the times in which nothing is deployed by itself."""
    entries = enumerate(document.get("freeze", default=()))
    return tuple(_freeze(document, index, entry, problems) for index, entry in entries)


def _freeze(document: Document, index: int, entry: Mapping[str, Any], problems: list[Problem]) -> FreezeRule:
    at: list[str | int] = ["freeze", index]
    start = _moment(document, [*at, "from"], entry.get("from"), problems)
    end = _moment(document, [*at, "until"], entry.get("until"), problems, whole_day=True)
    if not entry.keys() - {"reason"}:
        hint = "add days, hours, from or until; for good: mode: manual"
        problems.append(document.problem(at, "this freeze has no time, so that it would never end", hint))
    elif start is not None and end is not None and end <= start:
        hint = "put the earlier one into from"
        problems.append(document.problem([*at, "until"], "this freeze ends before it begins", hint))
    return FreezeRule(
        days=frozenset(map(DAYS.index, entry.get("days", ()))),
        hours=frozenset(entry.get("hours", ())),
        start=start,
        end=end,
        reason=entry.get("reason", ""),
    )


def _moment(
    document: Document, at: list[str | int], text: str | None, problems: list[Problem], *, whole_day: bool = False
) -> datetime | None:
    """Return the moment that *text* names, without a zone; a day is its beginning, or its end if *whole_day*."""
    if text is None:
        return None
    try:
        if len(text) > len("2026-12-18"):
            return datetime.fromisoformat(text)
        moment = datetime.combine(date.fromisoformat(text), datetime.min.time())
        return moment + timedelta(days=1) if whole_day else moment
    except (ValueError, OverflowError):
        hint = "write a day as 2026-12-18, or a minute as 2026-12-18 16:00"
        problems.append(document.problem(at, f"there is no day or time {text!r}", hint))
        return None
