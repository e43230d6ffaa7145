"""``<times>`` and ``<stdargs>``: when and how scripts are delivered, and the way to HTTPS."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from gitupd.config import patterns
from gitupd.core.url import PLACEHOLDERS
from gitupd.importer import values
from gitupd.importer.defaults import DEFAULT_REWRITE
from gitupd.importer.report import Passage, shown

if TYPE_CHECKING:
    from gitupd.importer.elements import Element
    from gitupd.importer.report import Report

_HOUR = re.compile(r"[0-9]{1,2}")
_HOURS = 24
_LONGEST_POLL = 86_400
_MOST_MINUTES = 100_000
_HIGHEST_PORT = 65_535
_DEFAULT_POLL, _DEFAULT_INTERVAL = 5, 15
_ARGUMENT = re.compile(r"[^&=#\s\x00-\x1f\x7f]+")
_PLACEHOLDER = re.compile(r"[^&\s\x00-\x1f\x7f]*")
_GROUP = re.compile(r"\\\\|\$\{(\d{1,2})\}|[$\\](\d{1,2})", re.ASCII)


def has_first_run(user: Element) -> bool:
    """Whether devices go through the last phase twice, first without regard to the hours.

    The PHP server looks at what the user wrote himself for this, not at what that comes to with the defaults.
    """
    times = user.first("times")
    return bool(times.get("allow").strip()) and times.get("forcestaging") == "true"


def delivery(tree: Element, user: Element, report: Report) -> dict[str, object]:
    """Return what the policy on delivery is to say."""
    times = tree.first("times")
    document: dict[str, object] = {}
    if not _checks(times, report):
        document["check"] = False
    fast_poll = values.number(times, "polling", report, most=_LONGEST_POLL)
    if fast_poll != _DEFAULT_POLL:
        document["fast_poll"] = fast_poll
    interval = values.number(times, "interval", report, most=_MOST_MINUTES)
    if interval not in (None, _DEFAULT_INTERVAL):
        document["interval"] = interval
    window = _window(times, report)
    if window:
        document["window"] = window
    if not values.is_on(times, "forcestaging", report):
        document["staging_ignores_window"] = False
    if has_first_run(user):
        document["first_run_ignores_window"] = True
    arguments = _url_arguments(tree, report)
    if arguments:
        document["url_arguments"] = arguments
    return document


def _checks(times: Element, report: Report) -> bool:
    if "check" in times and not times.get("check"):
        report.note(times.place_of("check"), 'check="" means false', "write true or false")
        return False
    return values.is_on(times, "check", report)


def _window(times: Element, report: Report) -> dict[str, object]:
    hours = _hours(times, report) if times.get("allow").strip() else None
    initial = values.number(times, "initial", report, most=_MOST_MINUTES)
    return {
        **({"hours": hours} if hours else {}),
        **({"initial_minutes": initial} if initial is not None else {}),
    }


def _hours(times: Element, report: Report) -> list[int] | None:
    said, place = times.get("allow"), times.place_of("allow")
    parts = [part.strip() for part in said.split(",")]
    if len(parts) > _HOURS or not all(_HOUR.fullmatch(part) and int(part) < _HOURS for part in parts):
        message = f"allow={shown(said)} of {times} is no list of hours"
        report.error(place, message, "write hours from 0 to 23 with commas between them, such as 22,23,0,1")
        return None
    hours = [int(part) for part in parts]
    if ",".join(map(str, hours)) != said:
        report.note(
            place, f"allow={shown(said)} becomes {','.join(map(str, hours))}", "devices are sent this from now on"
        )
    return hours


def _url_arguments(tree: Element, report: Report) -> dict[str, str | None]:
    section = tree.first("stdargs")
    arguments: dict[str, str | None] = {}
    for element in section.all("stdarg"):
        key, value = element.get("key"), element.get("value")
        if key in arguments:
            report.note(element.place, f"{element} is without effect, because there is such an argument already")
        elif not _ARGUMENT.fullmatch(key) or not _PLACEHOLDER.fullmatch(value):
            message = f"{element} with value={shown(value)} does not fit into an address"
            report.error(element.place, message, "write a key and a placeholder such as #n, without blanks and &")
        else:
            arguments[key] = value or None
    absent = [key for key in PLACEHOLDERS if key not in arguments]
    if absent:
        message = f"{section} has no {', '.join(absent)}: devices fill these in all the same from now on"
        report.note(section.place or Passage("config.xml", 0), message)
    return {key: value for key, value in arguments.items() if (key, value) not in PLACEHOLDERS.items()}


def transport(tree: Element, report: Report) -> dict[str, object]:
    """Return what the policy on HTTPS is to say."""
    times = tree.first("times")
    document: dict[str, object] = {}
    forced = values.is_on(times, "forcehttps", report)
    if forced:
        document["https"] = "required"
    port = values.number(times, "httpsport", report, least=1, most=_HIGHEST_PORT)
    if port is not None:
        document["https_port"] = port
    if times.get("httpsurlmod") != DEFAULT_REWRITE:
        document["https_rewrite"] = _rewrite(times, report)
    if values.is_on(times, "forcetrust", report):
        if forced:
            document["client_certificate"] = "required"
        _check_trust(tree, report, forced=forced)
    return document


def _check_trust(tree: Element, report: Report, *, forced: bool) -> None:
    times, certificates = tree.first("times"), tree.first("customcerts")
    place = times.place_of("forcetrust")
    if not certificates.get("dir"):
        message = "forcetrust demands client certificates, but <customcerts> has no dir, so that none is accepted"
        report.error(place, message, "give <customcerts> a dir and a CAname, or remove forcetrust")
    elif not forced:
        message = (
            "forcetrust without forcehttps demands no client certificate; updates wait until a device has a good one"
        )
        report.note(place, message, "add forcehttps, or remove forcetrust")
    else:
        message = "authorities in trust/ of the site identify devices, and no longer those of the web server"
        cure = "add what its configuration names (ssl.ca-file, SSLCACertificateFile): gitupd trust add FILE"
        report.note(place, message, cure)


def _rewrite(times: Element, report: Report) -> dict[str, object] | None:
    """Return the substitution in ``httpsurlmod``, which is written like ``!pattern!replacement!i``."""
    said, place = times.get("httpsurlmod"), times.place_of("httpsurlmod")
    if not said:
        return None
    wrong = f"httpsurlmod={shown(said)} of {times} is not understood"
    parts = said.split(said[0])
    if said[0].isalnum() or said[0].isspace() or said[0] == "\\" or len(parts) not in (3, 4) or not parts[1]:
        report.error(place, wrong, "write it like !pattern!replacement!i")
        return None
    pattern, replacement, flags = parts[1], parts[2], (parts[3] if len(parts) > 3 else "")  # noqa: PLR2004 - the optional part
    if flags.strip("i"):
        report.error(place, f"{wrong}: of the flags behind it only i is known", "write it like !pattern!replacement!i")
        return None
    try:
        with warnings.catch_warnings():
            # What Python merely warns of, such as [[:alpha:]], means something else in Perl's syntax.
            warnings.simplefilter("error")
            compiled = re.compile(pattern)
        patterns.compiled(pattern)
    except (re.error, RecursionError, FutureWarning, DeprecationWarning, OverflowError) as error:
        report.error(place, f"{wrong}: {error}", "write it as a regular expression of Python")
        return None
    except patterns.UnfitPatternError as error:
        report.error(place, f"{wrong}: it {error}", "write it as a regular expression of RE2")
        return None
    return {
        "pattern": pattern,
        "replacement": _replacement(replacement, compiled.groups),
        "ignore_case": bool(flags),
    }


def _replacement(text: str, groups: int) -> str:
    r"""Return *text* with ``$1``, ``${1}`` and ``\1`` as Python writes them; groups that don't exist are empty."""

    def written(found: re.Match[str]) -> str:
        named = found[1] or found[2]
        if named is None:
            return r"\\"
        return rf"\g<{int(named)}>" if int(named) <= groups else ""

    pieces = []
    end = 0
    for found in _GROUP.finditer(text):
        pieces += [text[end : found.start()].replace("\\", r"\\"), written(found)]
        end = found.end()
    return "".join([*pieces, text[end:].replace("\\", r"\\")])
