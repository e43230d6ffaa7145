"""Types of arguments and options: text as any other, of which a shell can offer values.

They are cheap to import: every command has some. What they offer is found when somebody asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class ValueKind:
    """What the values are of which a shell offers some: ``name`` is one of cli/completion/values.py.

    ``closed`` are all there are, if the program knows them; then nothing is looked up. ``many`` may be given at once,
    with commas between them.
    """

    name: str
    closed: tuple[str, ...] = ()
    many: bool = False

    def offered(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return what begins with *incomplete*; nothing if that can't be found out at once."""
        from gitupd.cli.completion.values import offered  # noqa: PLC0415 - only who completes needs it

        return offered(self, ctx, incomplete)


class _Offering:
    """What offers values of its ``kind``."""

    kind: ValueKind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002 - click gives it
        """Return what a shell offers."""
        return self.kind.offered(ctx, incomplete)


class Completed(_Offering, click.types.StringParamType):
    """A text of some kind; it is taken as it is, whether it would be offered or not."""

    def __init__(self, name: str, closed: Sequence[str] = (), *, many: bool = False) -> None:
        """Take a text of the kind called *name*."""
        self.kind = ValueKind(name, tuple(closed), many)


class CompletedNumber(_Offering, click.IntRange):
    """An id, which is a whole number from 1 on."""

    def __init__(self, name: str) -> None:
        """Take an id of the kind called *name*."""
        super().__init__(1, 2**31 - 1)
        self.kind = ValueKind(name)


class SitePath(click.Path):
    """The folder of a site, which the command looks for itself; a shell offers folders."""

    def __init__(self) -> None:
        """Take any path."""
        super().__init__(path_type=Path)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002 - click gives it
        """Return what has a shell offer folders."""
        return [CompletionItem(incomplete, type="dir")]


DEVICE = Completed("device")
"""A device by serial number, name or address."""

SERIAL_NUMBER = Completed("serial")
KEPT_DEVICE = Completed("kept-device")
"""A device by serial number, name or address; by serial number those of which backups are kept, known or not."""

FILTER = Completed("filter")
"""A word of those that find devices."""

REVISION = Completed("revision")
"""A revision in the repository of a site."""

REVISION_HERE = Completed("revision-here")
"""A revision in the repository that another argument of the command names."""

PATH_OR_REVISION = Completed("path-or-revision")
"""The same, in front of which the repository may stand itself."""

DEPLOYED = Completed("deployed")
BLOCKED = Completed("blocked")
REFUSED = Completed("refused")
VERSION = Completed("version")
"""A version of the backup of the device that another argument names."""

DEVICE_AND_VERSION = Completed("device-and-version")
"""``DEVICE`` or ``DEVICE@REV``."""

ENVIRONMENTS = Completed("environment", many=True)
PHASE = Completed("phase")
MODEL = Completed("model")
MODELS = Completed("model", many=True)
NAME = Completed("name")
"""The name of a device."""

ADDRESS = Completed("address")
BUILD = Completed("build")
BUILDS = Completed("build", many=True)
PERSON = Completed("person")
SUBJECT = Completed("subject")
"""What the audit has as a subject: people and devices."""

SHARED_SEARCH = Completed("shared-search")
"""The name of a search for devices that is saved for everybody."""

TOKEN = CompletedNumber("token")
CODE = CompletedNumber("code")
CERTIFICATE = Completed("certificate")
RECIPIENT = Completed("recipient")
"""Somebody who is told of things, by name in the settings."""

KEY = Completed("key")
"""To whom files are encrypted."""

TRUSTED = Completed("trusted")
"""A file of the folder of what is trusted."""

SCHEMA = Completed("schema")
SITE = SitePath()
