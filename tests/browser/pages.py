"""The list of all pages. A page that is missing here fails a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from browser.scene import EMULATED_FIRST, HOSTILE, LONELY, STRANGERS, TWIN, rolled_out
from gitupd.core.certificates.rollout import Stage

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from browser.scene import Scene
    from browser.visiting import Visitor


Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Shown:
    """A page as it is to be looked at; ``name`` is that of its pictures, ``path`` may name commits of the scene."""

    name: str
    endpoint: str | None
    path: str
    status: int = 200
    anonymous: bool = False
    by_keyboard: bool = True
    """Long lists take too long to be gone through key by key."""

    def address(self, scene: Scene) -> str:
        older = scene.backups(EMULATED_FIRST)[1] if "{older}" in self.path else None
        return self.path.format(
            older=older, first=scene.first, deployed=scene.deployed, blocked=scene.blocked, ahead=scene.ahead
        )


PAGES = (
    Shown("login", "people.login", "/login", anonymous=True),
    Shown("devices", "devices.index", "/devices", by_keyboard=False),
    Shown("devices-missing", "devices.index", "/devices?q=missing"),
    Shown("devices-warned", "devices.index", "/devices?q=warned"),
    Shown("devices-unknown", "devices.index", "/devices?q=unknown"),
    Shown("devices-none", "devices.index", "/devices?q=name:nobody"),
    Shown("devices-page-2", "devices.index", "/devices?page=2", by_keyboard=False),
    Shown("devices-many", "devices.index", "/devices?size=100", by_keyboard=False),
    Shown("devices-columns", "devices.index", "/devices?q=missing&columns=sn,admin.name"),
    Shown("searches", "devices.searches", "/devices/searches"),
    Shown("devices-poll", "devices.poll", "/devices/poll?q=warned"),
    Shown("environments", "environments.index", "/environments", by_keyboard=False),
    Shown("device", "devices.device", f"/devices/{EMULATED_FIRST}"),
    Shown("device-hostile", "devices.device", f"/devices/{HOSTILE}"),
    Shown("device-warned", "devices.device", f"/devices/{TWIN}"),
    Shown("device-unknown", "devices.device", f"/devices/{LONELY}"),
    Shown("device-quarantined", "devices.device", f"/devices/{STRANGERS[0]}"),
    Shown("device-nobody", "devices.device", "/devices/00-90-33-00-00-fe", status=404),
    Shown("notices", "notices.index", "/notices"),
    Shown("preview", "preview.index", "/preview"),
    Shown("preview-filled", "preview.index", "/preview?type=IP222&env=berlin&phase=update"),
    Shown("configuration", "configuration.index", "/configuration"),
    Shown("configuration-file", "configuration.file", "/configuration/file/devices.yaml"),
    Shown("add", "onboarding.index", "/add"),
    Shown("deployments", "deployments.index", "/deployments"),
    Shown("deployment", "deployments.show", "/deployments/3"),
    Shown("deployment-first", "deployments.show", "/deployments/1"),
    Shown("deployment-nowhere", "deployments.show", "/deployments/999", status=404),
    Shown("deploy", "deployments.confirm_deploy", "/deployments/deploy?rev={ahead}"),
    Shown("rollback", "deployments.confirm_rollback", "/deployments/rollback?rev={first}"),
    Shown("commits", "seen.index", "/commits"),
    Shown("commit", "commits.show", "/commits/{ahead}"),
    Shown("commit-deployed", "commits.show", "/commits/{deployed}"),
    Shown("commit-nowhere", "commits.show", "/commits/no-such-branch", status=404),
    Shown("plan", "plans.index", "/plans?head={ahead}"),
    Shown("plan-asked", "plans.index", "/plans"),
    Shown("plan-nowhere", "plans.index", "/plans?base=no-such-branch&head={ahead}"),
    Shown("plan-group", "plans.group", "/plans/group?base={deployed}&head={ahead}&group=1"),
    Shown("backups", "backups.index", "/backups", by_keyboard=False),
    Shown("backups-filtered", "backups.index", f"/backups?q={HOSTILE}"),
    Shown("backups-days", "backups.index", "/backups?from=2020-01-01", by_keyboard=False),
    Shown("backups-devices", "backups.index", "/backups?show=devices"),
    Shown("backups-late", "backups.index", "/backups?show=late"),
    Shown("backups-never", "backups.index", "/backups?show=never", by_keyboard=False),
    Shown("backups-search", "backups.search", "/backups/search"),
    Shown("backups-found", "backups.search", "/backups/search?q=CMD0"),
    Shown("backups-lacking", "backups.search", "/backups/search?q=hostile&scope=without&word=1", by_keyboard=False),
    Shown("backups-drift", "backups.drift", "/backups/drift", by_keyboard=False),
    Shown("backup-since", "backups.since", f"/backups/{EMULATED_FIRST}/latest/since"),
    Shown("backup-pair-asked", "backups.against", f"/backups/{EMULATED_FIRST}/against"),
    Shown("backup-pair", "backups.against", f"/backups/{EMULATED_FIRST}/against?with={HOSTILE}", by_keyboard=False),
    Shown("backup", "backups.device", f"/backups/{EMULATED_FIRST}"),
    Shown("backup-days", "backups.device", f"/backups/{EMULATED_FIRST}?from=2020-01&to=2090-12"),
    Shown("backup-before", "backups.device", f"/backups/{EMULATED_FIRST}?day=2020-01-01"),
    Shown("backup-hostile", "backups.device", f"/backups/{HOSTILE}"),
    Shown("backup-none", "backups.device", f"/backups/{TWIN}"),
    Shown("backup-version", "backups.version", f"/backups/{HOSTILE}/latest", by_keyboard=False),
    Shown("backup-version-nowhere", "backups.version", f"/backups/{EMULATED_FIRST}/nowhere", status=404),
    Shown("backup-diff", "backups.diff", f"/backups/{HOSTILE}/diff"),
    Shown("backup-diff-split", "backups.diff", f"/backups/{HOSTILE}/diff?view=split"),
    Shown("backup-script", "backups.diff", f"/backups/{EMULATED_FIRST}/diff?b=now"),
    Shown("restore", "backups.confirm_restore", f"/backups/{EMULATED_FIRST}/restore?rev={{older}}"),
    Shown("certificates", "certificates.index", "/certificates"),
    Shown("certificates-good", "certificates.index", "/certificates?stage=good"),
    Shown("certificates-week", "certificates.index", "/certificates?week=later"),
    Shown("certificates-authority", "certificates.authority", "/certificates/authority"),
    Shown("certificates-history", "certificates.history", "/certificates/history"),
    Shown("device-pair-asked", "devices.beside", f"/devices/{EMULATED_FIRST}/compare?with=IP"),
    Shown("device-pair", "devices.beside", f"/devices/{EMULATED_FIRST}/compare?with={HOSTILE}", by_keyboard=False),
    Shown("device-story", "devices.timeline", f"/devices/{HOSTILE}/timeline"),
    Shown("device-requests", "devices.requests", f"/devices/{EMULATED_FIRST}/requests"),
    Shown("device-failed", "devices.device", f"/devices/{rolled_out(Stage.FAILED)}", by_keyboard=False),
    Shown("device-signing", "devices.device", f"/devices/{rolled_out(Stage.SIGNING)}", by_keyboard=False),
    Shown("trust", "trust.index", "/trust"),
    Shown("audit", "people.audit", "/audit", by_keyboard=False),
    Shown("audit-filtered", "people.audit", "/audit?kind=rollback"),
    Shown("account", "people.account", "/account"),
    Shown("search", "everywhere.index", "/search"),
    Shown("search-found", "everywhere.index", "/search?q=desk", by_keyboard=False),
    Shown("search-nothing", "everywhere.index", "/search?q=%3Cb%3Ehippopotamus", by_keyboard=False),
    Shown("help", "help.index", "/help", by_keyboard=False),
    Shown("help-found", "help.index", "/help?q=gatekeeper", by_keyboard=False),
    Shown("help-nothing", "help.index", "/help?q=%3Cb%3Ehippopotamus"),
    Shown("help-document", "help.show", "/help/reference/search", by_keyboard=False),
    Shown("help-glossary", "help.show", "/help/reference/glossary", by_keyboard=False),
    Shown("help-part", "help.show", "/help/reference/cli?part=3", by_keyboard=False),
    Shown("help-nowhere", "help.show", "/help/no/such/page", status=404),
    Shown("people", "people.index", "/people"),
    Shown("nowhere", None, "/no/such/page", status=404),
)

NO_PAGES = frozenset(
    {
        "static",
        "bootstrap.static",
        "pages.index",  # leads to /devices
        "devices.nothing_asked",  # leads to /devices
        "devices.no_search_deed",  # leads to /devices/searches
        "devices.table",  # CSV
        "people.audit_table",  # CSV
        "devices.words",  # JSON
        "devices.requests_json",  # a file
        "devices.requests_text",  # a file
        "devices.state",  # XML
        "backups.export",  # an archive
        "backups.found",  # CSV
        "backups.raw",  # text
        "certificates.nothing_asked",  # leads to /certificates
        "certificates.requests",  # an archive
        "certificates.signing_request",  # a file
        "certificates.table",  # CSV
        "everywhere.suggestions",  # JSON
        "metrics.metrics",
    }
)
"""What is answered to GET and is no page: files, what leads elsewhere, and what programs read; besides ``api.``."""


@dataclass(frozen=True)
class Tour:
    """The way to all pages: each is visited by whoever may see it."""

    administrator: Visitor
    anonymous: Visitor
    scene: Scene

    def visitor(self, shown: Shown) -> Visitor:
        return self.anonymous if shown.anonymous else self.administrator

    def open(self, shown: Shown, size: tuple[int, int], scheme: Scheme = "light") -> Page:
        visitor = self.visitor(shown)
        visitor.resize(size)
        visitor.page.emulate_media(color_scheme=scheme)
        return visitor.open(shown.address(self.scene), status=shown.status)
