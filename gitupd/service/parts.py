"""All parts of a site, imported: a server has them in memory before it starts workers, which share them.

A Site imports each part when it is first used. That is quick for a command, which uses few of them; a worker that did
so would let a device wait.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from gitupd import store

_PREFIX = f"{store.__name__}."
_APART = (f"{_PREFIX}migrations", f"{_PREFIX}glances")
"""What brings a database to a revision, and what shells complete."""

for _module in walk_packages(store.__path__, _PREFIX):
    if not _module.name.startswith(_APART):
        import_module(_module.name)
