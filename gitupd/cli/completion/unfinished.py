"""What is asked when values are to be offered: where on the line, and what is typed of the value so far."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from gitupd.cli.completion.places import database_of, site_meant
from gitupd.store.glances.database import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    import click

    from gitupd.store.glances.database import Glance
    from gitupd.store.glances.values import Found

__all__ = ["MOST", "UnfinishedWord"]


class UnfinishedWord:
    """The value at the cursor; what was opened to find it is closed at the end of the block."""

    def __init__(self, ctx: click.Context, start: str) -> None:
        """Ask for what begins with *start*; *ctx* has the command, and the values of other arguments."""
        self.ctx, self.start = ctx, start
        self._opened = ExitStack()
        self._seen: Glance | None = None

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self._opened.close()

    @property
    def database(self) -> Glance:
        """The database of the site; raises whatever keeps it from being looked at."""
        if self._seen is None:
            self._seen = self._opened.enter_context(database_of(site_meant(self.ctx)))
        return self._seen

    def of_site(self, find: Callable[[Glance], Iterable[Found]]) -> list[Found]:
        """Return what *find* finds, nothing if there is no site, or it can't be looked at: others may have values."""
        try:
            return list(find(self.database))
        except Exception:  # noqa: BLE001 - as a whole: nothing that is offered is worth a message
            return []
