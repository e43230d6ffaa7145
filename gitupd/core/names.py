"""How names of phases, classes, environments and models are compared."""

from __future__ import annotations

import re
import string

ALL = "all"
"""The wild card for any part of a snippet's name."""

SERIAL_PLACE = re.compile(r"[0-9a-f]{2}(_?[0-9a-f]{2}){5}")
"""The third part of a snippet's name when it stands for one device: ``00_90_33_30_00_af``."""

_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """Return *name* as it is compared: ASCII letters in lower case, everything else as it is.

    Only ASCII is folded because the PHP server folded nothing else when it looked for a file
    (docs/reference/php-differences.md), and because two spellings of one name must never depend on a Unicode version.
    """
    return name.translate(_TO_LOWER)
