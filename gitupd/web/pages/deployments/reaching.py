"""How far a deployment has come, as a bar and in rows, each with the search that finds the devices it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.deployments.convergence import QUORUMS
from gitupd.core.words import A_MOMENT
from gitupd.web.language.texts import duration, gettext, marked, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from gitupd.core.deployments.convergence import Convergence
    from gitupd.core.snapshot import CommitId
    from gitupd.core.standing import Standings

    Rank = Literal["current", "confirmed", "drifted", "waiting", "silent", "missing"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the bar, from ``start`` and ``width`` wide, of 1000; ``search`` finds its devices, None if none can.

    ``rank`` is how good that is, which gives it its colour, and ``word`` what it is called.
    """

    rank: Rank
    word: str
    count: int
    search: str | None
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class ReachedRow:
    """What devices have reached, of all that count: ``width`` is of 100; ``note`` says more of them."""

    word: str
    count: int
    width: float
    search: str | None
    note: str = ""


def fleet_segments(counts: Standings) -> list[Segment]:
    """Return the bar of the whole fleet, for deployments in which no device counts."""
    states: list[tuple[Rank, str, int, str | None]] = [
        ("current", "current", counts.current, "current"),
        ("waiting", "waiting", counts.waiting, "waiting"),
        ("missing", "missing", counts.missing, "missing"),
    ]
    return _segments(states, counts.total)


def segments(one: Convergence) -> list[Segment]:
    """Return the bar of a deployment, whose parts make the whole; only of one that is live devices are found."""
    counts: list[tuple[Rank, str, int, str]] = []
    if one.in_force is None or one.drifted is None or one.untold is None:
        counts += [("current", marked("confirmed"), one.confirmed, "confirmed")]
    else:
        counts += [
            ("current", marked("in force"), one.in_force, "in-force"),
            ("confirmed", marked("confirmed only"), one.untold, "untold"),
            ("drifted", marked("drifted"), one.drifted, "drifted"),
        ]
    under_way = "asked deployment:unconfirmed"
    counts += [
        ("waiting", marked("called, not confirmed"), one.unconfirmed - one.silent, under_way),
        ("silent", marked("yet to call") if one.ended is None else marked("never called"), one.silent, "silent"),
    ]
    found = [(rank, word, count, None if one.ended else f"deployment:{part}") for rank, word, count, part in counts]
    return [each for each in _segments(found, one.counted) if each.count or each.rank == "current"]


def _segments(counts: Iterable[tuple[Rank, str, int, str | None]], total: int) -> list[Segment]:
    start, parts = 0.0, []
    for rank, word, count, search in counts:
        width = 1000 * count / total if total else 0.0
        parts.append(Segment(rank, word, count, search, round(start, 1), round(width, 1)))
        start += width
    return parts


def reached(one: Convergence) -> list[ReachedRow]:
    """Return the four things that devices may have reached, the last only where backups are on."""
    rows = [
        (marked("Asked"), one.asked, "asked", gettext("have polled since")),
        (marked("Delivered"), one.delivered, "delivered", gettext("were sent a script with snippets of it")),
        (marked("Confirmed"), one.confirmed, "confirmed", _unchanged(one)),
    ]
    if one.in_force is not None and one.drifted is not None:
        note = gettext("the configuration that they uploaded shows all that is wanted")
        rows.append((marked("In force"), one.in_force, "in-force", note))
    return [
        ReachedRow(
            word,
            count,
            round(100 * count / one.counted, 1) if one.counted else 0.0,
            None if one.ended else f"deployment:{part}",
            note,
        )
        for word, count, part, note in rows
    ]


def _unchanged(one: Convergence) -> str:
    if not one.unchanged:
        return gettext("have said that they executed it")
    return ngettext(
        "have said that they executed it; for %(number)s nothing changed, so they ran it at once",
        "have said that they executed it; for %(number)s nothing changed, so they ran it at once",
        one.unchanged,
    )


def unfinished(one: Convergence, commit: CommitId) -> str | None:
    """Return the search for devices that have not confirmed *commit*, None if there are none."""
    return f"never:{commit[:12]}" if one.unconfirmed else None


def times(one: Convergence) -> str:
    """Return after how long parts of the devices had confirmed, such as ``50 % after 4 min, 90 % after 15 min``."""
    known = [(percent, time) for percent, time in zip(QUORUMS, one.seconds, strict=True) if time is not None]
    return ", ".join(f"{percent}\N{NO-BREAK SPACE}% {_after(time)}" for percent, time in known)


def _after(seconds: float) -> str:
    text = duration(seconds).replace(" ", "\N{NO-BREAK SPACE}")
    return text if seconds < A_MOMENT else gettext("after %(time)s", time=text)


def lasting(seconds: float) -> str:
    """Return for how long something was live; of what was replaced at once, that this was a moment."""
    return gettext("a moment") if seconds < A_MOMENT else duration(seconds)
