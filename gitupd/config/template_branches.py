"""Which ways a template goes: for render tests, which are to reach all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import nodes

from gitupd.config.templates import template_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitupd.core.secrets.template import Template

_MARK = re.compile(r"\x00(\d+)\x00")


class WatchedTemplate:
    """A template that remembers which ways it went; it says what the one says that it stands for.

    ``branches`` are the names of all ways, in order: ``PATH:LINE if``, ``elif``, ``else`` or ``for``. An ``if`` without
    an ``else`` has one all the same: tests are to see it left out, too. ``taken`` are those of them that were gone.
    """

    def __init__(self, path: str, source: bytes, template: Template) -> None:
        """Watch *template*, which was made of *source*, the file at *path*."""
        self._template = template
        tree = template_environment().parse(source.decode())
        self._marks: list[str] = []
        conditions, loops = [*tree.find_all(nodes.If)], [*tree.find_all(nodes.For)]
        later = {id(branch) for node in conditions for branch in node.elif_}
        found: list[nodes.If | nodes.For] = [*(node for node in conditions if id(node) not in later), *loops]
        for node in sorted(found, key=lambda node: node.lineno):
            self._mark(path, node)
        self._compiled = template_environment().from_string(tree) if self._marks else None
        self.branches = tuple(dict.fromkeys(self._marks))
        self.taken: set[str] = set()

    def _mark(self, path: str, node: nodes.If | nodes.For) -> None:
        if isinstance(node, nodes.For):
            node.body.insert(0, self._marked(f"{path}:{node.lineno} for"))
            if node.else_:
                node.else_.insert(0, self._marked(f"{path}:{node.lineno} else"))
            return
        node.body.insert(0, self._marked(f"{path}:{node.lineno} if"))
        for branch in node.elif_:
            branch.body.insert(0, self._marked(f"{path}:{branch.lineno} elif"))
        node.else_.insert(0, self._marked(f"{path}:{node.lineno} else"))

    def _marked(self, name: str) -> nodes.Output:
        """Return what tells in the text that the way called *name* was gone."""
        self._marks.append(name)
        return nodes.Output([nodes.TemplateData(f"\x00{len(self._marks) - 1}\x00")])

    @property
    def lines(self) -> Mapping[str, int]:
        """The variables that it mentions, each with the line where it first does, from 1."""
        return self._template.lines

    @property
    def required(self) -> frozenset[str]:
        """Those of them that it can't do without."""
        return self._template.required

    @property
    def entangled(self) -> frozenset[str]:
        """Those of which more may depend than what is written in their place."""
        return self._template.entangled

    @property
    def facts(self) -> frozenset[str]:
        """What it asks of the device."""
        return self._template.facts

    @property
    def keeps_lines(self) -> bool:
        """Whether each line is made of the line of the same number."""
        return self._template.keeps_lines

    def filled(self, values: Mapping[str, str], device: Mapping[str, object]) -> str:
        """Return the text for a *device* with these *values* of variables; raises Unfilled."""
        text = self._template.filled(values, device)
        if self._compiled is not None:
            self._remember(self._compiled.generate(values, device=device))
        return text

    def _remember(self, parts: Iterable[str]) -> None:
        # A file may have such a mark in it as well; more than this report does not depend on it.
        marks = (int(number) for part in parts for number in _MARK.findall(part))
        self.taken.update(self._marks[number] for number in marks if number < len(self._marks))
