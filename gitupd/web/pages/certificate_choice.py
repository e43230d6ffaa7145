"""Which roll-outs an address, or a form, asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.certificates.rollout import Stage
from gitupd.errors import InvalidEntry
from gitupd.service.rollouts.overview import ENDED, LATER, UNDER_WAY, monday_of
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words, retold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitupd.core.search import Search
    from gitupd.service.rollouts.overview import CertificateOverview, RolloutChoice


@dataclass(frozen=True, slots=True)
class RolloutsAsked:
    """Which roll-outs an address asks for: ``fault`` is why that finds none, empty if it may."""

    stages: tuple[Stage, ...]
    week: str
    search: Search
    fault: str = ""

    @classmethod
    def in_arguments(cls, arguments: Mapping[str, str], stages: Sequence[str]) -> RolloutsAsked:
        """Return what *arguments* ask for, and *stages* among them."""
        known = tuple(Stage(name) for name in dict.fromkeys(stages) if name in set(Stage))
        search = served().fleet().understood(arguments.get("q", ""))
        week = arguments.get("week", "")
        try:
            monday_of(week) if week not in ("", ENDED, LATER) else None
        except InvalidEntry as error:
            return cls(known, "", search, in_words(error))
        return cls(known, week, search, retold(search.fault, "errors"))

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for something at all."""
        return bool(self.stages or self.week or self.search.terms)

    def choice(self, overview: CertificateOverview) -> RolloutChoice:
        """Return the roll-outs; all that are under way, or end in the week, unless stages are named."""
        stages = self.stages or (() if self.week or self.search.terms else UNDER_WAY)
        return overview.choice(stages, self.week, self.search)
