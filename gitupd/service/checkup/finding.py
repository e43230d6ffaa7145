"""What was found at a site: where, what is wrong, and how that is mended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """Something about a site; ``mend`` says whether somebody should do something, else it is only worth knowing."""

    where: str
    what: str
    cure: str
    mend: bool = True


def finding_facts(finding: SiteFinding) -> dict[str, Any]:
    """Return the same as values of JSON."""
    return asdict(finding)
