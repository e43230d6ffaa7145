"""A comparison written down, compressed, and read again."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, get_args

from gitupd.core.caller import Serial
from gitupd.core.comparison import consequences as kinds
from gitupd.core.comparison.difference import Hunk, ScriptDifference
from gitupd.core.comparison.grouping import FleetComparison, Footing, Gone, Group, Member, Skipped
from gitupd.core.comparison.staying import StayingLine
from gitupd.core.snapshot import CommitId
from gitupd.store.database import storable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.comparison.consequences import Consequence

LARGEST = 4 * 2**20
"""Bytes that a comparison may take, compressed; of a larger one the lines of its smaller groups are left out."""

_LARGEST_UNPACKED = 200 * 2**20
_KINDS = {kind.__name__: kind for kind in get_args(kinds.Consequence)}
_FEWEST = 10
_MOST_WHOLE = 2_000
_MOST_LINES = 100_000
_MOST_LETTERS = 10 * 2**20
"""So many of lines: what compresses well, and takes hundreds of megabytes unpacked, could not be read again."""


def written(comparison: FleetComparison, largest: int = LARGEST) -> bytes:
    """Return *comparison* as bytes, no more than *largest*: of what is too large, only the first groups are kept whole.

    The lines of the others are left out, and in the end the groups themselves.
    """
    kept = _readable(comparison)
    while len(body := _packed(comparison, kept)) > largest and kept > _FEWEST:
        kept //= 4
    if len(body) > largest:
        body = _packed(replace(comparison, groups=comparison.groups[:1]), 0)
    return body


def read(body: bytes) -> FleetComparison:
    """Return the comparison in *body*, which :func:`written` has made."""
    said = json.loads(zlib.decompressobj().decompress(body, _LARGEST_UNPACKED))
    return FleetComparison(
        CommitId(said["base"]),
        CommitId(said["head"]),
        tuple(map(_group_in, said["groups"])),
        said["total"],
        Skipped(**said["skipped"]),
        said["imagined"],
        tuple(said["remarks"]),
        said["active"],
        tuple(Gone(**gone) for gone in said["gone"]),
    )


def _readable(comparison: FleetComparison) -> int:
    """Return how many of the first groups have no more lines, and letters, in all than anybody could read."""
    lines = letters = 0
    for at, group in enumerate(comparison.groups[:_MOST_WHOLE]):
        lines += group.difference.removed + group.difference.added
        letters += sum(len(line) for hunk in group.difference.hunks for line in (*hunk.removed, *hunk.added))
        if lines > _MOST_LINES or letters > _MOST_LETTERS:
            return at
    return min(len(comparison.groups), _MOST_WHOLE)


def _packed(comparison: FleetComparison, whole: int) -> bytes:
    said = {
        "base": comparison.base,
        "head": comparison.head,
        "groups": [_group(group, whole=at < whole) for at, group in enumerate(comparison.groups)],
        "total": comparison.total,
        "skipped": asdict(comparison.skipped),
        "imagined": comparison.imagined,
        "remarks": comparison.remarks,
        "active": comparison.active,
        "gone": [asdict(gone) for gone in comparison.gone],
    }
    return zlib.compress(json.dumps(said, separators=(",", ":")).encode(), level=6)


def _group(group: Group, *, whole: bool) -> dict[str, Any]:
    return {
        "hunks": [[hunk.removed, hunk.added, hunk.path] for hunk in group.difference.hunks] if whole else [],
        "consequences": [{"kind": type(each).__name__, **asdict(each)} for each in group.difference.consequences],
        "staying": [[line.text, line.options] for line in group.difference.staying] if whole else [],
        "members": [_member(member) for member in group.members],
        "whole": whole,
    }


def _member(member: Member) -> list[Any]:
    texts = (member.name, member.model, member.environments, member.phase)
    return [member.serial.digits, *map(storable, texts), member.footing.value, member.lost, member.is_active]


def _group_in(said: Mapping[str, Any]) -> Group:
    hunks = tuple(Hunk(tuple(removed), tuple(added), path) for removed, added, path in said["hunks"])
    staying = tuple(StayingLine(text, tuple(options)) for text, options in said.get("staying", ()))
    difference = ScriptDifference(hunks, tuple(map(_consequence_in, said["consequences"])), staying)
    return Group(difference, tuple(map(_member_in, said["members"])), is_whole=said["whole"])


def _consequence_in(said: Mapping[str, Any]) -> Consequence:
    values = {name: value for name, value in said.items() if name != "kind"}
    consequence: Consequence = _KINDS[said["kind"]](**values)
    return consequence


def _member_in(said: list[Any]) -> Member:
    serial, name, model, environments, phase, footing, lost, is_active = said
    return Member(Serial(serial), name, model, environments, phase, Footing(footing), lost, is_active)
