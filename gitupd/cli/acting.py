"""Who works on the command line."""

from __future__ import annotations

import getpass
import os

from gitupd.core.people.person import Actor, Role


def who() -> str:
    """Return who works on the command line, as the deployments record it."""
    return f"{getpass.getuser()}@{os.uname().nodename}"


def actor() -> Actor:
    """Return who works on the command line: whoever can write to a site may do everything with it."""
    return Actor(who(), Role.ADMINISTRATOR, None)
