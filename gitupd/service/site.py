"""A site: one directory with all that a server remembers, and the way to its parts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from gitupd.errors import SiteError
from gitupd.service.reserve import Reserve
from gitupd.settings import FILE_NAME, read_settings
from gitupd.store.places import (
    AUTHORITY,
    BACKUP_KEY,
    BACKUP_SIGNERS,
    BACKUPS,
    CONFIG,
    DATABASE,
    INBOX,
    SECRETS_KEY,
    TRUST,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitupd.settings import Settings
    from gitupd.store.admissions import Admissions
    from gitupd.store.answers import Answers
    from gitupd.store.archive import Archive
    from gitupd.store.audit import Audit
    from gitupd.store.backups.inbox import BackupInbox
    from gitupd.store.backups.index import BackupIndex
    from gitupd.store.backups.repository import BackupRepository
    from gitupd.store.backups.texts import BackupTexts
    from gitupd.store.backups.timeline import BackupTimeline
    from gitupd.store.backups.waves import BackupWaves
    from gitupd.store.certificates.authority import AuthorityFolder
    from gitupd.store.certificates.folder import TrustFolder
    from gitupd.store.certificates.issued import IssuedCertificates
    from gitupd.store.certificates.rollout_lists import RolloutLists
    from gitupd.store.certificates.rollouts import Rollouts
    from gitupd.store.codes import Codes
    from gitupd.store.commits.seen import SeenCommits
    from gitupd.store.commits.word import Approvals, Freezes
    from gitupd.store.comparison.plans import PlanTable
    from gitupd.store.convergence.drifts import Drifts
    from gitupd.store.convergence.measures import Convergences
    from gitupd.store.database import Database
    from gitupd.store.deployments import Deployments
    from gitupd.store.firmware import FirmwareStore
    from gitupd.store.fleet import FleetTable
    from gitupd.store.git.repository import ConfigRepository
    from gitupd.store.inventory import Inventory
    from gitupd.store.masters import Masters
    from gitupd.store.notices.outbox import Outbox
    from gitupd.store.people import People
    from gitupd.store.restores import Restores
    from gitupd.store.searches.saved import SavedSearches
    from gitupd.store.secrets import SecretsKey
    from gitupd.store.signing import Signers, SigningKey
    from gitupd.store.stories.events import DeviceEvents
    from gitupd.store.stories.recordings import Recordings
    from gitupd.store.upstream.standings import UpstreamStandings
    from gitupd.store.upstream.statuses import CommitStatuses

_SETTINGS = """\
# Settings of this site. Each can be overridden by an environment variable: GITUPD_HTTP, GITUPD_WORKERS ...
# All of them, with their defaults, are described in docs/reference/settings.md.

# http = "127.0.0.1:8080"
# workers = 2
"""


class Site:
    """The composition root of everything that works on one site; parts are opened when they are first used."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None = None) -> None:
        """Open the site at *path*; raises SiteError if there is none. *environment* None means the process's."""
        if not (path / FILE_NAME).is_file():
            raise SiteError(f"{path} is no gitupd site; create one with: gitupd init {path}")
        self.path = path.absolute()
        self.settings: Settings = read_settings(path, environment)

    @classmethod
    def create(cls, path: Path, environment: Mapping[str, str] | None = None) -> Site:
        """Create a site at *path*, which must be absent or empty, without any commit or deployment."""
        from gitupd.store.backups.repository import BackupRepository
        from gitupd.store.git.repository import ConfigRepository

        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise SiteError(f"{path} exists already; choose another place, or empty it")
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
            (path / FILE_NAME).write_text(_SETTINGS)
            ConfigRepository.create(path / CONFIG).close()
            BackupRepository(path / BACKUPS).create()
            (path / "firmware").mkdir()
            (path / AUTHORITY).mkdir(mode=0o700)
            (path / TRUST).mkdir()
            (path / INBOX).mkdir(mode=0o700)
        except OSError as error:
            raise SiteError(f"can't create {path}: {error}") from error
        site = cls(path, environment)
        site.database.migrate()
        return site

    @cached_property
    def reserve(self) -> Reserve:
        """The room on the disk that is kept from what strangers send."""
        wanted = self.settings.disk_reserve
        return Reserve(self.path, None if wanted == "" else wanted)

    @cached_property
    def database(self) -> Database:
        """The site's database."""
        from gitupd.store.database import Database

        return Database(self.settings.database or f"sqlite:///{self.path / DATABASE}")

    @cached_property
    def commits(self) -> SeenCommits:
        """Commits of the followed branch that were seen, and what became of them."""
        from gitupd.store.commits.seen import SeenCommits

        return SeenCommits(self.database)

    @cached_property
    def approvals(self) -> Approvals:
        """Who has approved which commit."""
        from gitupd.store.commits.word import Approvals

        return Approvals(self.database)

    @cached_property
    def freezes(self) -> Freezes:
        """The freeze that somebody has ordered."""
        from gitupd.store.commits.word import Freezes

        return Freezes(self.database)

    @cached_property
    def deployments(self) -> Deployments:
        """Which commits are and were deployed."""
        from gitupd.store.deployments import Deployments

        return Deployments(self.database)

    @cached_property
    def plans(self) -> PlanTable:
        """What changes would do to the fleet, as far as somebody asked."""
        from gitupd.store.comparison.plans import PlanTable

        return PlanTable(self.database)

    @cached_property
    def convergences(self) -> Convergences:
        """How far deployments have come."""
        from gitupd.store.convergence.measures import Convergences

        return Convergences(self.database)

    @cached_property
    def drifts(self) -> Drifts:
        """Which devices are not as their scripts want them."""
        from gitupd.store.convergence.drifts import Drifts

        return Drifts(self.database)

    @cached_property
    def masters(self) -> Masters:
        """What master devices said."""
        from gitupd.store.masters import Masters

        return Masters(self.database)

    @cached_property
    def inventory(self) -> Inventory:
        """Every device that asked."""
        from gitupd.store.inventory import Inventory

        return Inventory(self.database)

    @cached_property
    def device_events(self) -> DeviceEvents:
        """What happened to them, as far as nothing else remembers it."""
        from gitupd.store.stories.events import DeviceEvents

        return DeviceEvents(self.database)

    @cached_property
    def recordings(self) -> Recordings:
        """Which of them are watched, and their requests meanwhile."""
        from gitupd.store.stories.recordings import Recordings

        return Recordings(self.database)

    @cached_property
    def admissions(self) -> Admissions:
        """Which devices people let in, and which not."""
        from gitupd.store.admissions import Admissions

        return Admissions(self.database)

    @cached_property
    def codes(self) -> Codes:
        """One-time codes, by which devices are accepted."""
        from gitupd.store.codes import Codes

        return Codes(self.database, self.admissions)

    @cached_property
    def answers(self) -> Answers:
        """What devices answered to queries."""
        from gitupd.store.answers import Answers

        return Answers(self.database)

    @cached_property
    def rollouts(self) -> Rollouts:
        """How far certificates are rolled out."""
        from gitupd.store.certificates.rollouts import Rollouts

        return Rollouts(self.database)

    @cached_property
    def issued(self) -> IssuedCertificates:
        """Certificates that were signed for devices."""
        from gitupd.store.certificates.issued import IssuedCertificates

        return IssuedCertificates(self.database, self.rollouts)

    @cached_property
    def authority(self) -> AuthorityFolder:
        """The site's own authority."""
        from gitupd.store.certificates.authority import AuthorityFolder

        return AuthorityFolder(self.path / AUTHORITY, self.database, self.path / self.settings.signing.passphrase_file)

    @cached_property
    def rollout_lists(self) -> RolloutLists:
        """The same, chosen and listed."""
        from gitupd.store.certificates.rollout_lists import RolloutLists

        return RolloutLists(self.database)

    @cached_property
    def fleet(self) -> FleetTable:
        """The same devices, to be found and counted."""
        from gitupd.store.fleet import FleetTable

        return FleetTable(self.database)

    @cached_property
    def people(self) -> People:
        """Who may log in, and with what."""
        from gitupd.store.people import People

        return People(self.database)

    @cached_property
    def saved_searches(self) -> SavedSearches:
        """Searches for devices that people have saved."""
        from gitupd.store.searches.saved import SavedSearches

        return SavedSearches(self.database)

    @cached_property
    def audit(self) -> Audit:
        """Who did what."""
        from gitupd.store.audit import Audit

        return Audit(self.database)

    @cached_property
    def backups(self) -> BackupRepository:
        """The backup history."""
        from gitupd.store.backups.repository import BackupRepository

        return BackupRepository(self.path / BACKUPS)

    @property
    def backup_key(self) -> SigningKey | None:
        """What signs the backup history, None if it is not to be signed; raises SiteError if it can't be used."""
        from gitupd.store.signing import SigningKey

        return (
            SigningKey.kept(self.path / BACKUP_KEY, self.path / BACKUP_SIGNERS) if self.settings.sign_backups else None
        )

    @property
    def backup_signers(self) -> Signers:
        """Who has ever signed the backup history; raises SiteError if that can't be told."""
        from gitupd.store.signing import Signers

        return Signers.listed(self.path / BACKUP_SIGNERS)

    @cached_property
    def backup_index(self) -> BackupIndex:
        """Which versions there are in the backup history."""
        from gitupd.store.backups.index import BackupIndex

        return BackupIndex(self.database)

    @cached_property
    def backup_timeline(self) -> BackupTimeline:
        """The same versions in numbers and lists."""
        from gitupd.store.backups.timeline import BackupTimeline

        return BackupTimeline(self.database)

    @cached_property
    def backup_waves(self) -> BackupWaves:
        """What many of them changed alike after a deployment."""
        from gitupd.store.backups.waves import BackupWaves

        return BackupWaves(self.database)

    @cached_property
    def backup_texts(self) -> BackupTexts:
        """What the latest versions say, line by line, as far as everybody may see it."""
        from gitupd.store.backups.texts import BackupTexts

        return BackupTexts(self.database)

    @cached_property
    def backup_inbox(self) -> BackupInbox:
        """Backups that were answered, and are not in the history yet."""
        from gitupd.store.backups.inbox import BackupInbox

        return BackupInbox(self.database)

    @cached_property
    def restores(self) -> Restores:
        """Which devices are to go back to an earlier version of their configuration."""
        from gitupd.store.restores import Restores

        return Restores(self.database)

    @property
    def inbox_folder(self) -> Path:
        """Where large backups lie until they are in the history."""
        return self.path / INBOX

    @cached_property
    def trust(self) -> TrustFolder:
        """The authorities whose certificates identify devices."""
        from gitupd.store.certificates.folder import TrustFolder

        return TrustFolder(self.path / TRUST, self.database)

    @cached_property
    def secrets_key(self) -> SecretsKey:
        """What opens what is encrypted in the configuration."""
        from gitupd.store.secrets import SecretsKey

        return SecretsKey(self.path / SECRETS_KEY)

    @cached_property
    def config(self) -> ConfigRepository:
        """The configuration repository, for a single thread."""
        return self.open_config()

    def open_config(self) -> ConfigRepository:
        """Open the configuration repository once more, for one thread and as it is now; the caller closes it."""
        from gitupd.store.git.repository import ConfigRepository

        return ConfigRepository(self.path / CONFIG)

    @cached_property
    def upstreams(self) -> UpstreamStandings:
        """How it stands with the repository that is followed."""
        from gitupd.store.upstream.standings import UpstreamStandings

        return UpstreamStandings(self.database)

    @cached_property
    def statuses(self) -> CommitStatuses:
        """What the host of that was told of commits."""
        from gitupd.store.upstream.statuses import CommitStatuses

        return CommitStatuses(self.database)

    @cached_property
    def outbox(self) -> Outbox:
        """What people are to be told of, and were."""
        from gitupd.store.notices.outbox import Outbox

        return Outbox(self.database)

    @cached_property
    def archive(self) -> Archive:
        """Copies of deployed commits, for the time when the repository can't be read."""
        from gitupd.store.archive import Archive

        return Archive(self.path / "deployed")

    @cached_property
    def firmware(self) -> FirmwareStore:
        """The firmware files."""
        from gitupd.store.firmware import FirmwareStore

        return FirmwareStore(self.path / "firmware", self.database)

    def close(self) -> None:
        """Close what was opened."""
        if "database" in self.__dict__:
            self.database.close()
        if "config" in self.__dict__:
            self.config.close()
