"""The language of update scripts: lines, words, commands.

Assumptions that only a capture of a real device could settle live here: how blanks separate words, what `add` and
`change` do with what they do not name, and the arguments of `scfg`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote_plus

Option = tuple[str, str | None]
"""Name without its slash, and value; None where nothing follows, "" where an empty word does."""

MAX_DIGITS = 6  # int() refuses numbers of thousands of digits, and no argument of a device needs more
HOURS_PER_DAY = 24


class Verb(Enum):
    """What a config line does to the options of a module."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "rem"


class Flashed(Enum):
    """What can be flashed; the value is the verb, the name that of the update serial."""

    PROT = "prot"
    BOOT = "boot"
    BMC = "bmc"


@dataclass(frozen=True, slots=True)
class ConfigEdit:
    """`config add|change|rem MODULE /option value …`."""

    verb: Verb
    module: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ConfigWrite:
    """`config write`."""


@dataclass(frozen=True, slots=True)
class ConfigActivate:
    """`config activate`."""


@dataclass(frozen=True, slots=True)
class VarsCreate:
    """`vars create PATH FLAGS VALUE`."""

    path: str
    flags: str
    value: str


@dataclass(frozen=True, slots=True)
class VarsDelete:
    """`vars del PATH`."""

    path: str


@dataclass(frozen=True, slots=True)
class Check:
    """`mod cmd UP1 check FINAL SERIAL`."""

    final: str
    serial: str


@dataclass(frozen=True, slots=True)
class Times:
    """`mod cmd UP1 times [/allow h,h,…] [/initial minutes]`."""

    allow: frozenset[int] | None
    initial: int | None


@dataclass(frozen=True, slots=True)
class Provision:
    """`mod cmd UP1 provision SECONDS`; 0 ends fast polling."""

    seconds: int


@dataclass(frozen=True, slots=True)
class PollNow:
    """`mod cmd UP1 poll`."""


@dataclass(frozen=True, slots=True)
class Reinit:
    """`mod cmd UP1 reinit`: forget all update serials."""


@dataclass(frozen=True, slots=True)
class SetVar:
    """`mod cmd UP1 setvar NAME VALUE`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Flash:
    """`mod cmd UP0 prot|boot|bmc URL [FINAL [SERIAL]]`."""

    what: Flashed
    url: str
    final: str
    serial: str | None


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """`mod cmd UP0 cfg URL [FINAL [SERIAL]]`."""

    url: str
    final: str
    serial: str | None


@dataclass(frozen=True, slots=True)
class SaveConfig:
    """`mod cmd UP0 scfg URL [FINAL [SERIAL]] [/always] [COMMAND]`; without a command it is a backup."""

    url: str
    final: str
    serial: str | None
    always: bool
    command: str | None


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """`mod cmd X509 servercert-create …`."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Reset:
    """`reset`, `ireset` (when idle), `resetn` (if required), `iresetn` (both)."""

    when_idle: bool
    if_required: bool


@dataclass(frozen=True, slots=True)
class Other:
    """A command of which the emulator knows nothing, or one without any lasting effect."""

    line: str


ConfigCommand = ConfigEdit | ConfigWrite | ConfigActivate
VarsCommand = VarsCreate | VarsDelete
PollCommand = Check | Times | Provision | PollNow | Reinit | SetVar
Transfer = Flash | LoadConfig | SaveConfig
Command = ConfigCommand | VarsCommand | PollCommand | Transfer | CertificateRequest | Reset | Other

RESETS = {
    "reset": Reset(when_idle=False, if_required=False),
    "ireset": Reset(when_idle=True, if_required=False),
    "resetn": Reset(when_idle=False, if_required=True),
    "iresetn": Reset(when_idle=True, if_required=True),
}


def decode(body: bytes) -> str:
    """Read what arrived as text; no byte is refused."""
    return body.decode("utf-8", errors="replace")


def lines(text: str) -> list[str]:
    """Split at CR LF, LF or CR, and at nothing else; blank lines are dropped.

    A blank at the end of a line stays: it makes the value of a last option empty.
    """
    return [line.lstrip() for line in re.split(r"\r\n|\n|\r", text) if line.strip()]


def commands(text: str) -> list[str]:
    """Give the lines that are no comments."""
    return [line for line in lines(text) if not line.startswith("#")]


def commit_named(text: str) -> str | None:
    """Give the commit that the first comment names: `# gitupd <40 hex digits> …`."""
    first = next((line for line in lines(text) if line.startswith("#")), "")
    match = re.match(r"#\s*gitupd\s+([0-9a-f]{40})\b", first)
    return match[1] if match else None


def parse(line: str) -> Command:
    """Understand one line; what can't be understood is an `Other`."""
    words = [word for word in line.split(" ") if word]
    match words:
        case ["config", *_]:
            return _config(words, line)
        case ["vars", "create", path, flags, *value]:
            return VarsCreate(path, flags, " ".join(value))
        case ["vars", "del", path]:
            return VarsDelete(path)
        case ["mod", "cmd", "UP1", *rest]:
            return _poll_command(rest, line)
        case ["mod", "cmd", "UP0", *rest]:
            return _transfer(rest, line)
        case ["mod", "cmd", "X509", "servercert-create", *_]:
            return CertificateRequest(_options(line))
        case [word] if word in RESETS:
            return RESETS[word]
        case _:
            return Other(line)


def number(text: str | None) -> int | None:
    """Read a plain decimal number; None if it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def _config(words: list[str], line: str) -> Command:
    match words[1:]:
        case ["write"]:
            return ConfigWrite()
        case ["activate"]:
            return ConfigActivate()
        case [("add" | "change" | "rem") as verb, module, *rest] if not module.startswith("/"):
            return ConfigEdit(Verb(verb), " ".join([module, *_until_option(rest)]), _options(line))
        case _:
            return Other(line)


def _until_option(words: Sequence[str]) -> list[str]:
    """Give the words of a module path: all up to the first option."""
    end = next((at for at, word in enumerate(words) if word.startswith("/")), len(words))
    return list(words[:end])


def _options(line: str) -> tuple[Option, ...]:
    """Read `/name value` pairs; two blanks in a row count as an empty word, so that a value can be empty."""
    pairs: list[tuple[str, list[str]]] = []
    for word in line.split(" "):
        if word.startswith("/") and len(word) > 1:
            pairs.append((word[1:], []))
        elif pairs:
            pairs[-1][1].append(word)
    return tuple((name, unquote_plus(" ".join(words).strip(" ")) if words else None) for name, words in pairs)


def _poll_command(words: list[str], line: str) -> Command:
    match words:
        case ["check", final, serial]:
            return Check(final, serial)
        case [("times" | "time"), *_]:
            return _times(dict(_options(line)))
        case ["provision", seconds] if (count := number(seconds)) is not None:
            return Provision(count)
        case ["poll"]:
            return PollNow()
        case ["reinit"]:
            return Reinit()
        case ["setvar", name, *value]:
            return SetVar(name, unquote_plus(" ".join(value)))
        case _:
            return Other(line)


def _times(options: dict[str, str | None]) -> Times:
    allow = options.get("allow")
    hours = {hour for word in (allow or "").split(",") if (hour := number(word.strip())) is not None}
    return Times(
        allow=frozenset(hour for hour in hours if hour < HOURS_PER_DAY) if allow else None,
        initial=number(options.get("initial")),
    )


def _transfer(words: list[str], line: str) -> Command:
    match words:
        case [("prot" | "boot" | "bmc") as what, url, *rest]:
            final, serial = _final_and_serial(rest)
            return Flash(Flashed(what), url, final, serial)
        case ["cfg", url, *rest]:
            final, serial = _final_and_serial(rest)
            return LoadConfig(url, final, serial)
        case ["scfg", url, *rest]:
            return _save_config(url, rest)
        case _:
            return Other(line)


def _final_and_serial(words: Sequence[str]) -> tuple[str, str | None]:
    return (words[0] if words else "ser", words[1] if len(words) > 1 else None)


def _save_config(url: str, words: list[str]) -> SaveConfig:
    before = _until_option(words)
    final, serial = _final_and_serial(before)
    command, always = before[2] if len(before) > 2 else None, False  # noqa: PLR2004 - what follows final and serial
    after = iter(words[len(before) :])
    for word in after:
        if word == "/always":
            always = True
        elif word == "/force":
            next(after, None)  # its number: the condition for an upload is already in the serial's place
        else:
            command = word
    return SaveConfig(url, final, serial, always, None if command is None else unquote_plus(command))
