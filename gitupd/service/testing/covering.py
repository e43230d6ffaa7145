"""What of a configuration no render test reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.core.testing.coverage import PartKind, Reachable, Reached, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.config.template_branches import WatchedTemplate
    from gitupd.core.snapshot import Snapshot, Snippet
    from gitupd.service.testing.running import RenderResult


class Watch:
    """Watches render tests that are run with its ``snapshot``, which says the same as the one that it is made of."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Watch the templates in *snapshot*; those that are encrypted, and closed, can't be."""
        self._templates: list[WatchedTemplate] = []
        snippets = tuple(map(self._watched, snapshot.snippets))
        self.snapshot = replace(snapshot, snippets=snippets) if self._templates else snapshot

    def _watched(self, snippet: Snippet) -> Snippet:
        if snippet.template is None or snippet.seal is not None:
            return snippet
        from gitupd.config.template_branches import WatchedTemplate  # noqa: PLC0415 - Jinja is for templates

        template = WatchedTemplate(snippet.path, snippet.content, snippet.template)
        self._templates.append(template)
        return replace(snippet, template=template)

    def coverage(self, results: Iterable[RenderResult]) -> Reached:
        """Return what the tests have reached that went like *results*."""
        branches = [name for template in self._templates for name in template.branches]
        taken = (Reachable(PartKind.BRANCH, name) for template in self._templates for name in template.taken)
        reached = frozenset(part for result in results for part in result.reached)
        return Reached(parts_of(self.snapshot, branches), reached | frozenset(taken))
