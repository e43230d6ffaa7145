"""Sentences that the core has put together, told again in the reader's language.

The core knows no languages: what it says of a device, a commit or a plan is English, for the API and the command line,
too. Here are the forms of what pages show of that, as texts of the catalogue; what has none of them stays as it is.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from gitupd.core.people.audit import Kind
from gitupd.core.stories.happening import deed_on_it
from gitupd.web.language.catalogues import SOURCE
from gitupd.web.language.choosing import language
from gitupd.web.language.texts import counted, gettext, marked, ngettext, plural, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

_LONGEST = 2_000
_HOLE = re.compile(r"%\((\w+)\)s")
_PARTS = frozenset({"what", "when", "more", "added", "removed", "stage", "hours"})
"""Values that are the core's own words; all others may be of people and devices, and stay as they are."""

_NOUNS: Mapping[str, tuple[str, str]] = {
    form: nouns
    for nouns in (
        plural("snippet", "snippets"),
        plural("line", "lines"),
        plural("device", "devices"),
        plural("error", "errors"),
        plural("imagined device", "imagined devices"),
    )
    for form in nouns
}
_LISTED = re.compile(r"(, (?=[\d,]+ [a-z])|; )")
_COUNTED = re.compile(r"([\d,]+) ([a-z][a-z ]*)")

STORIES = (
    marked("Called last"),
    marked("Known since then"),
    marked("Confirmed that it executed"),
    marked("Nothing changed for it, so it runs"),
    marked("Was sent %(what)s of"),
    marked("Showed a certificate with another key than before"),
    marked("Showed a certificate"),
    marked("Is called %(now)s, before %(was)s"),
    marked("Is called %(now)s"),
    marked("Moved to %(now)s from %(was)s"),
    marked("Moved to %(now)s"),
    marked("Came into phase %(now)s from %(was)s"),
    marked("Came into phase %(now)s"),
    marked("Called from an address that it had before"),
    marked("Called from %(now)s, before from %(was)s"),
    marked("Called from %(now)s"),
    marked("Called as %(now)s, before as %(was)s"),
    marked("Called as %(now)s"),
    marked("Is now of type %(now)s, before %(was)s"),
    marked("Is now of type %(now)s"),
    marked("Runs firmware %(now)s, before %(was)s"),
    marked("Runs firmware %(now)s"),
    marked("Runs boot code %(now)s, before %(was)s"),
    marked("Runs boot code %(now)s"),
    marked("Was told to load firmware %(now)s"),
    marked("Was told to load boot code %(now)s"),
    marked("Answered the query %(title)s"),
    marked("Uploaded its configuration"),
    marked("Uploaded its configuration: %(what)s"),
    marked("Uploaded its signing request"),
    marked("Is back at an earlier version"),
    marked("Is back at an earlier version: %(detail)s"),
    marked("Has something else than the version it went back to"),
    marked("Has something else than the version it went back to: %(detail)s"),
    marked("Did not go back to an earlier version"),
    marked("Did not go back to an earlier version: %(detail)s"),
    marked("Is not to go back to an earlier version any more"),
    marked("Is not to go back to an earlier version any more: %(detail)s"),
    marked("%(who)s asked that it goes back to an earlier version"),
    marked("Was told to fetch an earlier version"),
    marked("Fetched an earlier version"),
    marked("Was told to make a signing request"),
    marked("Was asked for its signing request"),
    marked("Has a signed certificate to fetch, by %(who)s"),
    marked("Was sent its certificate"),
    marked("Its certificate is at: %(stage)s. %(what)s"),
    marked("Its certificate is at: %(stage)s."),
    marked("%(who)s had certificate %(id)s signed by %(signer)s"),
    marked("%(added)s added, %(removed)s removed"),
    marked("%(added)s added"),
    marked("%(removed)s removed"),
)
"""What happened to a device: :mod:`gitupd.core.stories.happening`, :mod:`gitupd.service.stories.telling`."""

OUTLOOKS = (
    marked("Nothing happens: no commit is deployed."),
    marked("It has not polled here yet, so it is not known what it needs."),
    marked("It is refused: it gets nothing, and nothing of it is taken, unless somebody accepts it."),
    marked("It is in quarantine: it gets nothing, and nothing of it is taken, until somebody accepts it."),
    marked("It polls %(when)s. It has executed everything, so nothing else happens."),
    marked("It polls %(when)s. Then it %(what)s."),
    marked("every minute"),
    marked("every %(number)s min"),
    marked("every %(number)s s while phases remain"),
    marked(
        "loads %(what)s, restarts when it is idle and gets %(more)s for phase %(phase)s, between %(start)s and %(end)s"
    ),
    marked("loads %(what)s, restarts when it is idle and gets %(more)s for phase %(phase)s"),
    marked("loads %(what)s and restarts when it is idle, %(hours)s"),
    marked("loads %(what)s and restarts when it is idle"),
    marked("gets %(what)s for phase %(phase)s, between %(start)s and %(end)s"),
    marked("gets %(what)s for phase %(phase)s, at any hour"),
    marked("gets %(what)s for phase %(phase)s"),
    marked("goes back to an earlier version of its configuration, and gets all else with the poll after that"),
    marked("firmware %(build)s and boot code %(other)s"),
    marked("firmware %(build)s"),
    marked("boot code %(build)s"),
    marked("no snippets"),
    marked("at any hour"),
    marked("between %(start)s and %(end)s"),
)
"""What happens next: :mod:`gitupd.core.outlook`."""

ROLLOUTS = (
    marked("The device has no certificate."),
    marked("The dates of certificate %(name)s can't be read."),
    marked("Certificate %(name)s states no date from which it is valid."),
    marked("Certificate %(name)s is not valid before %(day)s."),
    marked("Certificate %(name)s is by %(issuer)s, none of ours."),
    marked("Certificate %(name)s states no end, and is renewed."),
    marked("Certificate %(name)s expired on %(day)s."),
    marked("Certificate %(name)s expires on %(day)s, and is renewed."),
    marked("Certificate %(name)s by %(issuer)s is good until %(day)s."),
    marked("%(what)s A request is left on the device."),
    marked("%(what)s The device has made a signing request."),
    marked("%(what)s Its signing request waits for a signature."),
    marked("%(what)s It is sent the one that was signed."),
    marked("%(what)s Its firmware is older than V12r1 SR8, and must be updated first."),
    marked("An operator has its roll-out start over."),
    marked("Its request waits for a signature."),
    marked("Somebody has decided that this request is not to be signed."),
    marked("It reports at its next poll."),
    marked("Set missing: request in policies/certificates.yaml for it to get one."),
    marked("Nothing is to be done but wait, and to look at the clock of whoever signs."),
    marked("It goes on by itself at one of its next polls."),
    marked("Somebody has it start over."),
    marked("Update its firmware: policies/firmware.yaml."),
    marked("It goes on once the device has answered; or set unknown_words: leave-out."),
    marked("It makes a request, and reports it at its next poll but one."),
    marked("It uploads its request at this poll."),
    marked("Somebody has its request signed, and hands the certificate in."),
    marked("Somebody approves its request, or rejects it."),
    marked("Somebody has it start over, for it to make another request."),
    marked("It installs its certificate, and reports it at its next poll but one."),
    marked("It removes the request that has served."),
    marked("It removes what is left, and begins anew at its next poll but one."),
    marked("It goes on at its next poll."),
    marked("good certificate (CN=%(name)s)"),
    marked("no certificate was shown: wrong port, or a proxy in between?"),
    marked("no certificate was shown, for HTTP has none"),
)
"""How a roll-out stands: :mod:`gitupd.core.certificates`."""

COMMITS = (
    marked("by itself"),
    marked("by hand"),
    marked("with %(commit)s"),
    marked("it is being looked at"),
    marked("it was rolled back"),
    marked("it was rolled back: %(reason)s"),
    marked("it has %(what)s, the first at %(place)s"),
    marked("it was deployed before, and is not deployed again by itself"),
    marked("it waits for somebody to deploy it, approved by %(names)s"),
    marked("it waits for somebody to deploy it"),
    marked("it is deployed %(seconds)s s after it arrived, approved by %(names)s"),
    marked("it is deployed %(seconds)s s after it arrived"),
    marked("it is deployed by itself in time, approved by %(names)s"),
    marked("it is deployed by itself in time"),
    marked("it is to be deployed, approved by %(names)s"),
    marked("it is to be deployed"),
)
"""Why a commit is in its state: :mod:`gitupd.core.deployments.decision`."""

PLANS = (
    marked("There is no device that anything could change for."),
    marked("Nothing changes for any of %(what)s."),
    marked("no device changes"),
    plural(
        "%(number)s of %(what)s gets something else: %(more)s.", "%(number)s of %(what)s get something else: %(more)s."
    ),
    marked("nothing follows from it beyond that"),
    marked("Of %(what)s it is not known what they say, for they never polled."),
    marked("%(what)s polled as no device does, and were left out."),
    plural("%(number)s device changes", "%(number)s devices change"),
    plural("%(number)s is shut out", "%(number)s are shut out"),
    plural("%(number)s is no longer let in", "%(number)s are no longer let in"),
    plural("%(number)s is let in", "%(number)s are let in"),
    plural("%(number)s is sent to HTTPS on port %(port)s", "%(number)s are sent to HTTPS on port %(port)s"),
    plural(
        "%(number)s lacks the client certificate that is required",
        "%(number)s lack the client certificate that is required",
    ),
    plural("%(number)s is to be given a certificate", "%(number)s are to be given a certificate"),
    plural("%(number)s gets nothing, for a failure", "%(number)s get nothing, for a failure"),
    plural("%(number)s gets nothing any more", "%(number)s get nothing any more"),
    plural("%(number)s gets nothing", "%(number)s get nothing"),
    plural("%(number)s loses most commands", "%(number)s lose most commands"),
    plural("%(number)s executes everything again", "%(number)s execute everything again"),
    plural("%(number)s executes everything at every poll", "%(number)s execute everything at every poll"),
    plural(
        "%(number)s has nothing to execute, after exactly this was executed before",
        "%(number)s have nothing to execute, after exactly this was executed before",
    ),
    plural("%(number)s loads another build", "%(number)s load another build"),
    plural("%(number)s loads %(what)s", "%(number)s load %(what)s"),
    plural("%(number)s restarts", "%(number)s restart"),
    plural("%(number)s of them finds no file of it", "%(number)s of them find no file of it"),
    plural(
        "%(number)s is told another address or pace for the next polls",
        "%(number)s are told another address or pace for the next polls",
    ),
)
"""What a change does: :mod:`gitupd.core.comparison`."""

SNIPPETS = (
    marked("every phase"),
    marked("every class"),
    marked("every environment"),
    marked("this very device"),
    marked("phase %(name)s"),
    marked("class %(name)s"),
    marked("environment %(name)s, implied by %(other)s"),
    marked("environment %(name)s"),
)
"""Why a device gets a snippet: :mod:`gitupd.core.script`."""

_ALL: tuple[str | tuple[str, str], ...] = (*STORIES, *OUTLOOKS, *ROLLOUTS, *COMMITS, *PLANS, *SNIPPETS)


def install(app: Flask) -> None:
    """Have the templates of *app* tell again what the core says, by a filter."""
    app.jinja_env.filters["retold"] = retold


def retold(text: object) -> str:
    """Return in the reader's language what the core says; what has no form here stays as it is."""
    said = str(text)
    if language() == SOURCE or not said or len(said) > _LONGEST:
        return said
    return _part(said)


def _told(said: str) -> str:
    return _sentence(said) or _deed(said) or translated(said)


def _sentence(said: str) -> str | None:
    for form, pattern in _patterns():
        if found := pattern.fullmatch(said):
            values = {name: _part(value) if name in _PARTS else value for name, value in found.groupdict().items()}
            if isinstance(form, str):
                return gettext(form, **values)
            number = int(values.pop("number").replace(",", ""))
            return ngettext(*form, number, **values)
    return None


def _part(said: str) -> str:
    """Return words of the core: something counted, a list of what has numbers, or a sentence again."""
    if (number := _COUNTED.fullmatch(said)) and number[2] in _NOUNS:
        return counted(int(number[1].replace(",", "")), *_NOUNS[number[2]])
    if said.endswith("."):
        return _told(said)
    return "".join(part if number % 2 else _told(part) for number, part in enumerate(_LISTED.split(said)))


def _deed(said: str) -> str | None:
    """Return what somebody did to a device, whose words follow a name."""
    if found := _deeds().fullmatch(said):
        return f"{found['who']} {translated(found['deed'])}{found['rest']}"
    return None


@cache
def _patterns() -> tuple[tuple[str | tuple[str, str], re.Pattern[str]], ...]:
    return tuple(
        (form, re.compile(_expression(each), re.DOTALL))
        for form in _ALL
        for each in ((form,) if isinstance(form, str) else form)
    )


def _expression(form: str) -> str:
    parts = _HOLE.split(form)
    return "".join(_hole(part) if number % 2 else re.escape(part) for number, part in enumerate(parts))


def _hole(name: str) -> str:
    return rf"(?P<{name}>[\d,]+)" if name == "number" else f"(?P<{name}>.+?)"


@cache
def _deeds() -> re.Pattern[str]:
    words = sorted({deed_on_it(kind) for kind in Kind}, key=len, reverse=True)
    return re.compile(rf"(?P<who>\S+) (?P<deed>{'|'.join(map(re.escape, words))})(?P<rest>|: .*)", re.DOTALL)
