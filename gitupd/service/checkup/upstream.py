"""The repository that a site follows: whether it is followed, and whether what opens it is kept."""

from __future__ import annotations

import stat
from functools import partial
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError
from gitupd.service.checkup.finding import SiteFinding
from gitupd.service.upstream.opening import token_of, upstream_of, webhook_secret_of
from gitupd.service.upstream.telling import upstream_concerns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.deployments.live import Live
    from gitupd.service.site import Site

_PLACE = "upstream"


def upstream_is_followed(site: Site, live: Live | None, now: datetime) -> Iterator[SiteFinding]:
    """Yield why the repository that *site* follows is not, and what is odd about how it is opened."""
    settings = site.settings.upstream
    if settings.address is None:
        return
    for concern in upstream_concerns(site, live, now):
        yield SiteFinding(_PLACE, concern, "gitupd fetch tries it now, and says what is wrong")
    opened = partial(upstream_of, site, settings.address)
    for look in (opened, partial(token_of, site), partial(webhook_secret_of, site)):
        try:
            look()
        except GitupdError as error:
            yield SiteFinding(_PLACE, str(error), "make that file, or name another in gitupd.toml")
    for name in (settings.token_file, settings.webhook_secret_file, settings.ssh_key_file):
        path = site.path / name
        if name and path.is_file() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            yield SiteFinding(str(path), "others on this machine can read this secret", f"chmod 600 {path}")
    if settings.address.is_open:
        what = f"{settings.address.scheme} is not encrypted: whoever is in between can send other commits"
        yield SiteFinding(_PLACE, what, "use https or ssh, or require_signatures in policies/deploy.yaml", mend=False)
