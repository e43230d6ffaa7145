"""The command that compares a site with the server that it is to replace."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.completion.kinds import FILTER
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import printable
from gitupd.core.proof.findings import named
from gitupd.core.search import checked_search, typed
from gitupd.core.words import counted
from gitupd.service.clock import now
from gitupd.service.proof.asking import TIMEOUT_SECONDS, OldServer
from gitupd.service.proof.proving import Proof, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitupd.core.proof.findings import Findings
    from gitupd.service.site import Site

_MOST_NAMED = 10
SOMETHING_DIFFERS, SOMETHING_FAILED = 2, 1


@dataclass(frozen=True, slots=True)
class Manner:
    """How the old server is asked: what the options of a command say."""

    words: tuple[str, ...] = ()
    limit: int | None = None
    rate: float = 20
    timeout: float = TIMEOUT_SECONDS
    insecure: bool = False
    rollouts: bool = False


def proof_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say how the old server is asked; they come as a ``manner``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS = (
    click.option(
        "--devices", metavar="FILTER", type=FILTER, help="Ask as these devices only, found as by gitupd devices."
    ),
    click.option("--limit", type=click.IntRange(1), help="Ask as so many devices at the most.  [default: all]"),
    click.option(
        "--rate",
        type=click.FloatRange(0.1, 1000),
        default=20,
        show_default=True,
        help="So many polls a second at the most.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 300),
        default=TIMEOUT_SECONDS,
        show_default=True,
        help="How many seconds an answer may take.",
    ),
    click.option("--insecure", is_flag=True, help="Take any certificate of the old server."),
    click.option(
        "--rollouts",
        is_flag=True,
        help="Ask also as devices in the middle of a roll-out of certificates, though a poll may move that on.",
    ),
)


def manner_in(options: dict[str, Any]) -> Manner:
    """Return what *options* of a command say."""
    words = tuple((options["devices"] or "").split())
    others = {name: options[name] for name in ("limit", "rate", "timeout", "insecure", "rollouts")}
    return Manner(words, **others)


@click.command()
@click.argument("url")
@proof_options
@as_json
@on_site
def prove(site: Site, url: str, as_json: bool, **options: Any) -> None:
    """Compare what a site tells devices with what the server tells them that it replaces.

    URL is where devices poll that server, such as http://HOST/update/update.php. Both are asked what each known device
    would ask: out of the box, in each phase, without CHECK, with one that fits and with one that does not. What differs
    on purpose is told apart; all else is listed, with alike differences together. Nothing is noted down at the site.
    The old server takes each question for a poll of that device: it shows it as seen just now.

    Exit code: 0 without differences, 2 with some, 1 if something could not be compared.
    """
    findings = proved(site, url, manner_in(options))
    if as_json:
        click.echo(json.dumps(findings_facts(findings), indent=2))
    else:
        for line in findings_lines(findings):
            click.echo(printable(line))
    sys.exit(exit_code(findings))


def proved(site: Site, url: str, manner: Manner) -> Findings:
    """Return how *site* differs from the server at *url*; raises OldServerFault if that is none."""
    server = partial(OldServer, rate=manner.rate, timeout=manner.timeout, verify=not manner.insecure)
    wanted = Wanted(checked_search(typed(manner.words)), manner.limit, manner.rollouts)
    with _progress() as progress:
        return Proof(site, server(url), now(), server).run(wanted, progress)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Give what shows on a terminal how far it is."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    with click.progressbar(length=1, label="devices", file=sys.stderr, show_pos=True) as bar:

        def show(done: int, count: int) -> None:
            bar.length = count
            bar.update(done - bar.pos)

        yield show


def exit_code(findings: Findings) -> int:
    """Return with which code a command ends that has found this."""
    if findings.differences:
        return SOMETHING_DIFFERS
    return SOMETHING_FAILED if findings.troubles or not findings.asked else 0


def findings_lines(findings: Findings) -> Iterator[str]:
    """Yield what was found, as people read it."""
    yield f"compared {counted(findings.polls, 'poll')} of {counted(findings.asked, 'device')}"
    yield from (f"note: {note}" for note in findings.notes)
    for title, rows in (
        ("on purpose", findings.on_purpose),
        ("not asked", findings.left_out),
        ("not compared", findings.troubles),
    ):
        for reason, serials in rows:
            yield f"{title}: {reason}"
            if serials:
                yield f"    {counted(len(serials), 'device')}: {named(serials, _MOST_NAMED)}"
    for number, difference in enumerate(findings.differences, start=1):
        serials = difference.serials
        yield ""
        yield f"{number}. {counted(len(serials), 'device')}: {named(serials, _MOST_NAMED)}"
        yield f"   {', '.join(difference.titles)}"
        yield from (f"   {line}" for line in difference.changes)
    if findings.more:
        yield ""
        yield f"and {counted(findings.more, 'further kind')}"
    yield ""
    yield findings.verdict


def findings_facts(findings: Findings) -> dict[str, Any]:
    """Return what was found, for programs."""
    return {
        "verdict": findings.verdict,
        "devices": findings.known,
        "compared": findings.asked,
        "polls": findings.polls,
        "notes": list(findings.notes),
        "differences": [
            {
                "devices": [str(serial) for serial in difference.serials],
                "polls": list(difference.titles),
                "lines": list(difference.changes),
            }
            for difference in findings.differences
        ],
        "further_kinds": findings.more,
        **{
            name: [{"reason": str(reason), "devices": [str(serial) for serial in serials]} for reason, serials in rows]
            for name, rows in (
                ("on_purpose", findings.on_purpose),
                ("not_asked", findings.left_out),
                ("not_compared", findings.troubles),
            )
        },
    }
