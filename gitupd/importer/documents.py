"""Documents of the new repository as text that people like to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from gitupd.config.documents import PATHS
from gitupd.resources import modeline

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMENTS = {
    "phases": "The phases that devices go through, from first contact to their normal life.",
    "environments": """\
Sets of devices; the first one is that of a device whose update URL names none.
`expansion: first-only` keeps what the PHP server did with several environments in one update URL. Remove it if no
device names more than one, or once each is to be followed by all that it implies.""",
    "classes": "Device classes in addition to the built-in ones, and models that snippets are named after.",
    "queries": "What devices are asked, and what of their answers is shown.",
    "delivery": "How scripts are delivered.",
    "firmware": "Which firmware and boot code devices are to run.",
    "backup": "Whether devices upload their configuration.",
    "transport": "HTTPS and client certificates.",
    "admission": "Every device that asks is served, as the PHP server did it.",
    "certificates": "The certificates that devices are given.",
    "status": "When a device counts as missing, and when it is forgotten.",
}
_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Writes every value out, as aliases are not allowed in the repository."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def written(documents: Mapping[str, Mapping[str, object]]) -> dict[str, bytes]:
    """Return the files that hold *documents*, which are given by the names of their schemas."""
    return {PATHS[name]: _text(name, said).encode() for name, said in documents.items()}


def _text(name: str, said: Mapping[str, object]) -> str:
    comment = "".join(f"# {line}\n" for line in _COMMENTS[name].split("\n"))
    body = "".join(_entry(key, value) for key, value in said.items())
    return f"{modeline(PATHS[name], name)}{comment}{body}"


def _entry(key: str, value: object) -> str:
    """Return one key of a document: small collections on one line, large ones and the document itself as blocks."""
    style = None if isinstance(value, dict | list) else False
    text: str = yaml.dump(
        {key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=style
    )
    return text
