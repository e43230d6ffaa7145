"""A comparison as text, as Markdown and as plain facts: the same numbers and words everywhere."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gitupd.core.comparison.grouping import Footing
from gitupd.core.comparison.numbers import numbers
from gitupd.core.comparison.wording import FOOTINGS, remarks, summary, title, told
from gitupd.core.words import counted
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitupd.core.comparison.difference import ScriptDifference
    from gitupd.core.comparison.grouping import FleetComparison, Group, Member
    from gitupd.core.comparison.numbers import PlanNumbers
    from gitupd.service.comparison.kept import KeptPlan

VERSION = 1
_TRAITS = (("model", "models"), ("environments", "environments"), ("phase", "phases"))
_ITSELF = "gitupd itself"
_MOST_VALUES = 1_000
_LARGEST_COMMENT = 55_000
_CAMEL = re.compile(r"(?<!^)(?=[A-Z])")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


@dataclass(frozen=True, slots=True)
class Abridgement:
    """How much is told: so many groups, so many lines and names of each, and so much of a line; None for all."""

    groups: int | None
    lines: int | None
    values: int | None
    names: int | None
    length: int | None


BRIEF = Abridgement(groups=20, lines=20, values=5, names=3, length=160)
FULL = Abridgement(groups=None, lines=None, values=None, names=None, length=None)


def text(comparison: FleetComparison, bounds: Abridgement = BRIEF) -> Iterator[str]:
    """Yield lines for a terminal: a sentence, what is to be known, then the groups."""
    yield _printable(summary(comparison))
    yield from map(_printable, remarks(comparison))
    groups = comparison.groups[: bounds.groups]
    for number, group in enumerate(groups, 1):
        yield ""
        yield f"{number}. {_printable(title(comparison, group))}"
        yield from (f"   {line}" for line in _which(comparison, group, bounds))
        yield from (f"   {line}" for line in _lines(group.difference, bounds))
    if more := _left_out(comparison, len(groups)):
        yield ""
        yield more


def markdown(comparison: FleetComparison, bounds: Abridgement = BRIEF) -> str:
    """Return the comparison for a comment on a pull request, of bounded size unless *bounds* are FULL."""
    head = [f"**{_escaped(summary(comparison))}**", *map(_escaped, remarks(comparison))]
    head.append(f"From `{comparison.base[:12]}` to `{comparison.head[:12]}`.")
    parts, size, count = ["\n\n".join(head)], sum(map(len, head)), 0
    for number, group in enumerate(comparison.groups[: bounds.groups], 1):
        part = _section(comparison, group, number, bounds)
        if bounds.groups is not None and size + len(part) > _LARGEST_COMMENT:
            break
        parts.append(part)
        size, count = size + len(part) + 2, number
    if more := _left_out(comparison, count):
        parts.append(more)
    return "\n\n".join(parts) + "\n"


def _section(comparison: FleetComparison, group: Group, number: int, bounds: Abridgement) -> str:
    which = "\n".join(f"* {_escaped(line)}" for line in _which(comparison, group, bounds))
    lines = list(_lines(group.difference, bounds))
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    shown = "\n\n" + "\n".join((f"{fence}diff", *lines, fence)) if lines else ""
    return f"### {number}. {_escaped(title(comparison, group))}\n\n{which}{shown}"


def facts(comparison: FleetComparison) -> dict[str, Any]:
    """Return all of it as values of JSON."""
    return {
        "version": VERSION,
        "base": comparison.base,
        "head": comparison.head,
        "summary": summary(comparison),
        "remarks": list(remarks(comparison)),
        "imagined": comparison.imagined,
        "devices": comparison.total,
        "changed": comparison.changed,
        "skipped": asdict(comparison.skipped),
        "numbers": numbers_facts(numbers(comparison)),
        "groups": [
            {**_group_facts(group), "serials": [str(member.serial) for member in group.members]}
            for group in comparison.groups
        ],
    }


def plan_facts(plan: KeptPlan) -> dict[str, Any]:
    """Return a plan that is kept as values of JSON, without its groups."""
    return {
        "made": plain(plan.made),
        "checked": plain(plan.checked),
        "summary": plan.summary,
        "remarks": list(plan.remarks),
        "numbers": numbers_facts(plan.numbers),
        "active": numbers_facts(plan.active),
        "groups": plan.groups,
    }


def numbers_facts(told_numbers: PlanNumbers) -> dict[str, Any]:
    """Return a plan in numbers as values of JSON."""
    pairs = {
        "lost": [{"per_cent": part, "devices": number} for part, number in told_numbers.lost],
        "phases_gone": [{"name": name, "devices": number} for name, number in told_numbers.phases_gone],
        "environments_gone": [{"name": name, "devices": number} for name, number in told_numbers.environments_gone],
    }
    return {**asdict(told_numbers), **pairs}


def group_facts(comparison: FleetComparison, number: int, hide: Callable[[str], str] = str) -> dict[str, Any]:
    """Return the group with this *number*, from 1, as values of JSON, without its devices.

    *hide* takes out of a line what its reader may not see.
    """
    group = comparison.groups[number - 1]
    said = _group_facts(group, hide)
    return {"number": number, "title": hide(title(comparison, group)), **said, "is_whole": group.is_whole}


def member_facts(member: Member) -> dict[str, Any]:
    """Return a device of a group as values of JSON."""
    return {
        "serial": str(member.serial),
        "name": member.name,
        "type": member.model,
        "environments": member.environments,
        "phase": member.phase,
        "standing": member.footing.value,
        "active": member.is_active,
    }


def _group_facts(group: Group, hide: Callable[[str], str] = str) -> dict[str, Any]:
    return {
        "devices": len(group.members),
        **{many: dict(group.count(one)[:_MOST_VALUES]) for one, many in _TRAITS},
        "standings": dict(group.count("footing")),
        "consequences": [
            {
                "kind": _CAMEL.sub("-", type(each).__name__).lower(),
                **{name: hide(value) if isinstance(value, str) else value for name, value in asdict(each).items()},
                "text": hide(told(each, len(group.members)).strip()),
            }
            for each in group.difference.consequences
        ],
        "lines": [
            {"path": hunk.path, "removed": list(map(hide, hunk.removed)), "added": list(map(hide, hunk.added))}
            for hunk in group.difference.hunks
        ],
        "staying": [{"text": hide(each.text), "options": list(each.options)} for each in group.difference.staying],
    }


def _which(comparison: FleetComparison, group: Group, bounds: Abridgement) -> Iterator[str]:
    """Yield which devices are in *group*, in a few lines."""
    yield "; ".join(f"{many} {_counts(group.count(one), bounds)}" for one, many in _TRAITS)
    if comparison.imagined:
        return
    footings = [(FOOTINGS[Footing(value)], number) for value, number in group.count("footing")]
    yield ", ".join(f"{number:,} {words}" for words, number in footings)
    some = group.members[: bounds.names]
    named = [f"{member.serial} {member.name or ''}".strip() for member in some]
    more = len(group.members) - len(some)
    yield _printable(", ".join(named) + (f" and {more:,} more" if more else ""))


def _counts(counts: tuple[tuple[str, int], ...], bounds: Abridgement) -> str:
    shown = counts[: bounds.values]
    told_ones = [f"{_printable(value) or 'unknown'} {number:,}" for value, number in shown]
    more = sum(number for _, number in counts[len(shown) :])
    return ", ".join([*told_ones, *([f"{len(counts) - len(shown):,} others {more:,}"] if more else [])])


def _lines(difference: ScriptDifference, bounds: Abridgement) -> Iterator[str]:
    """Yield the lines that go and come, each hunk below the snippet that it is from."""
    count, place = 0, ""
    for hunk in difference.hunks:
        if (hunk.path or _ITSELF) != place:
            place = hunk.path or _ITSELF
            yield _cut(f"@@ {_printable(place)} @@", bounds)
        for sign, line in (*(("-", line) for line in hunk.removed), *(("+", line) for line in hunk.added)):
            if bounds.lines is not None and count == bounds.lines:
                yield f"… {counted(difference.removed + difference.added - count, 'more line')}"
                return
            count += 1
            yield _cut(f"{sign} {_printable(line)}", bounds)


def _left_out(comparison: FleetComparison, shown: int) -> str:
    rest = comparison.groups[shown:]
    if not rest:
        return ""
    number = sum(len(group.members) for group in rest)
    groups = counted(len(rest), "more group")
    return f"{groups}, of {counted(number, 'device')}, not shown here; --full shows everything, --format json, too."


def _cut(line: str, bounds: Abridgement) -> str:
    return line if bounds.length is None or len(line) <= bounds.length else f"{line[: bounds.length]}…"


def _printable(line: str) -> str:
    """Return *line* without what would steer a terminal, or end a line; tabs do no harm."""
    return "".join(letter if letter.isprintable() or letter == "\t" else "\N{REPLACEMENT CHARACTER}" for letter in line)


def _escaped(line: str) -> str:
    """Return *line* as Markdown that says it literally, and mentions nobody."""
    return _SPECIAL.sub(r"\\\1", _printable(line)).replace("@", "@\N{ZERO WIDTH NON-JOINER}")
