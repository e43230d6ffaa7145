"""Asking the master device which builds it runs, in the background."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, Request

from lxml import etree

from gitupd.config.xml_tree import xml_tree
from gitupd.core.firmware import parse_version
from gitupd.service.elsewhere import Unanswered
from gitupd.service.elsewhere import ask as ask_elsewhere
from gitupd.store.masters import MasterAnswer

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.firmware import Builds
    from gitupd.core.policy import Master
    from gitupd.store.masters import Masters

TIMEOUT_SECONDS = 5.0
_RETRY_SECONDS = 30.0
_LARGEST_ANSWER = 256 * 1024


class MasterFault(Exception):
    """The master device gave no usable answer; the text says why."""


def parse_box_info(content: bytes) -> Builds:
    """Return the builds in a ``box_info.xml``; raises MasterFault."""
    try:
        root = xml_tree(content)
    except etree.XMLSyntaxError as error:
        raise MasterFault(f"not XML: {error}") from error
    system = root.find("sys")
    version = None if system is None else system.get("version")
    if version is None:
        raise MasterFault("no element sys with an attribute version")
    builds = parse_version(version)
    if builds is None:
        raise MasterFault(f"version {version[:100]!r} names no builds in brackets")
    return builds


def is_due(answer: MasterAnswer | None, master: Master, now: datetime) -> bool:
    """Whether *master* is to be asked: its answer is older than the policy says, and it wasn't tried just now."""
    if answer is None:
        return True
    if answer.asked_at > now:
        return True  # the clock was put back since
    if answer.answered_at is not None and now - answer.answered_at < timedelta(seconds=master.cache):
        return False
    return now - answer.asked_at >= timedelta(seconds=min(_RETRY_SECONDS, master.cache))


def ask(masters: Masters, master: Master, now: datetime, timeout: float = TIMEOUT_SECONDS) -> MasterAnswer:
    """Ask *master*, remember what it says or how it failed, and return that; an earlier answer survives a failure.

    *timeout* is how many seconds each step of the conversation, and the whole answer, may take.
    """
    before = masters.answers().get(master.url) or MasterAnswer(master.url, None, None, None, now)
    try:
        builds = parse_box_info(_fetch(master.url, timeout))
        answer = MasterAnswer(master.url, builds.firmware, builds.bootcode, now, now)
    except MasterFault as error:
        answer = replace(before, asked_at=now, error=str(error))
    masters.save(answer)
    return answer


def _fetch(url: str, timeout: float) -> bytes:
    try:
        request = Request(url, headers={"User-Agent": "gitupd"})  # noqa: S310 - the schema allows http and https
        answer = ask_elsewhere(request, timeout, _LARGEST_ANSWER + 1, ProxyHandler({}))
    except (Unanswered, ValueError) as error:
        raise MasterFault(f"can't be reached: {error}") from error
    if not answer.is_good:
        raise MasterFault(f"can't be reached: {answer.reason}")
    if len(answer.content) > _LARGEST_ANSWER:
        raise MasterFault(f"an answer of more than {_LARGEST_ANSWER} bytes")
    return answer.content
