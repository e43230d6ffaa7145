"""The command that says which devices would get what else from another commit."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gitupd.cli.completion.kinds import BUILDS, PATH_OR_REVISION, SITE
from gitupd.cli.repository import builds_of, computing_here, scripting_option
from gitupd.config.intake import concerns_devices
from gitupd.config.loader import build, load
from gitupd.core.concealing import Veil
from gitupd.core.deployments.reach import Reach
from gitupd.core.situation import Basis
from gitupd.errors import GitupdError, InvalidConfiguration, has_errors
from gitupd.service.clock import now
from gitupd.service.comparison.comparing import Comparing
from gitupd.service.comparison.fleet_file import read_fleet, told_fleet
from gitupd.service.comparison.fleets import fleet_of_site, imagined_fleet, with_confirmed
from gitupd.service.comparison.reporting import BRIEF, FULL, facts, markdown, text
from gitupd.service.imagining import Imagining
from gitupd.service.sources import read_source
from gitupd.settings import FILE_NAME, site_from_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.core.comparison.consequences import FindFirmware
    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.core.device import Device
    from gitupd.core.firmware import Builds
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.comparison.fleets import ComparedFleet
    from gitupd.service.site import Site
    from gitupd.service.sources import Source

_DIFFERENT = 2


@click.command()
@click.argument("arguments", metavar="[PATH] BASE HEAD", type=PATH_OR_REVISION, nargs=-1, required=True)
@click.option("--site", "place", type=SITE, help="Compare for the devices of this site.")
@click.option(
    "--devices",
    "fleet_file",
    metavar="FILE",
    type=click.File(encoding="utf-8"),
    help="Compare for the devices in FILE.",
)
@click.option("--from", "source", metavar="URL", help="Compare for the devices of the site at URL, asked of its API.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.File(encoding="utf-8"),
    help="The file with a token for that API; any role will do.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option("--full", is_flag=True, help="Print all groups, lines and devices, however many there are.")
@click.option("--show-secrets", is_flag=True, help="Print passwords as they are.")
@click.option("--master", metavar="FIRMWARE,BOOTCODE", type=BUILDS, help="The builds that the master device runs.")
@scripting_option
def plan(
    arguments: tuple[str, ...],
    *,
    place: Path | None,
    fleet_file: TextIO | None,
    source: str | None,
    token_file: TextIO | None,
    form: str,
    full: bool,
    show_secrets: bool,
    master: str | None,
    scripting: bool | None,
) -> None:
    """Say which devices would get what else from the commit HEAD than from BASE; exit with 2 if any would.

    Equal changes are told once, with what follows from them: what is executed again, which devices restart, load
    firmware, or get nothing any more. PATH is a repository, or a site; without it, --site names both, and else it is
    the current directory. Devices are those of the site, or those in FILE, made by gitupd devices --json, or those of a
    site elsewhere. Without any, one device is imagined for each combination of model, environment and phase.
    """
    if (source is None) != (token_file is None):
        raise click.UsageError("--from and --token-file belong together: a site tells its devices to nobody unknown")
    if source is not None and fleet_file is not None:
        raise click.UsageError("give either --devices or --from")
    if len(arguments) not in (2, 3):
        raise click.UsageError("give BASE and HEAD, two commits, and perhaps the repository in front of them")
    repository, site_path = _places(arguments[0] if len(arguments) > 2 else None, place)  # noqa: PLR2004 - as above
    base, head = (read_source(repository, revision) for revision in arguments[-2:])
    before, after = _loaded(base), _checked(head)
    with _opened(site_path) as site, _imagining(before, after, scripting, site, builds_of(master)) as sides:
        if source is not None and token_file is not None:
            fleet = _fetched(source, _read(token_file).strip(), sides[0])
        else:
            fleet = _fleet(*sides, site, fleet_file)
        comparing = Comparing(
            _deciding(sides[0], fleet),
            _deciding(sides[1], fleet),
            Reach(before, after, _changed(base, head)),
            hide=str if show_secrets else Veil.over((before, after)).line,
            firmware=_finding(site) if site else None,
        )
        with _progress(fleet) as devices:
            comparison = comparing.compare(devices, imagined=fleet.imagined, remarks=fleet.remarks)
    _print(comparison, form, full=full)
    if comparison.changed:
        sys.exit(_DIFFERENT)


def _places(path: str | None, place: Path | None) -> tuple[Path, Path | None]:
    """Return where the repository is, and the site whose devices are meant, None if none is."""
    if path is None:
        named = place or (Path(name) if (name := site_from_environment()) else None)
        repository = named or Path()
    else:
        repository, named = Path(path), place
    if not repository.is_dir():
        raise click.UsageError(f"{repository} is no directory; name a repository, or a site")
    is_site = (repository / FILE_NAME).is_file()
    return repository, named or (repository if is_site else None)


def _loaded(source: Source) -> Snapshot:
    """Return what the commit says that another one is compared with, as long as it can be read."""
    try:
        return load(source.files, source.commit)
    except InvalidConfiguration as error:
        raise GitupdError(f"nothing can be compared with BASE, for it has errors:\n{error}") from error


def _checked(source: Source) -> Snapshot:
    """Return what a commit says; raises InvalidConfiguration with all that is wrong if it could not be deployed."""
    snapshot, problems = build(source.files, source.commit)
    if has_errors(problems):
        raise InvalidConfiguration(problems)
    return snapshot


def _changed(base: Source, head: Source) -> Iterator[str]:
    """Yield the paths of files that differ, and on which it depends what devices get."""
    for path in sorted({*base.files, *head.files}):
        if concerns_devices(path) and base.files.get(path) != head.files.get(path):
            yield path


@contextmanager
def _opened(place: Path | None) -> Iterator[Site | None]:
    if place is None:
        yield None
        return
    from gitupd.service.site import Site  # noqa: PLC0415 - the database is for those who compare for a site

    site = Site(place)
    try:
        site.database.migrate()
        yield site
    finally:
        site.close()


@contextmanager
def _imagining(
    base: Snapshot, head: Snapshot, scripting: bool | None, site: Site | None, builds: Builds | None
) -> Iterator[tuple[Imagining, Imagining]]:
    """Imagine polls of both commits, each with a process of its own for its own code."""
    if scripting is None and site is not None:
        scripting = site.settings.scripting
    if scripting is None and any(snapshot.scripting is not None for snapshot in (base, head)):
        raise GitupdError(
            "a configuration computes lines by scripting.py; give --scripting to have that code run on this machine, or"
            " --no-scripting to leave its lines out"
        )
    at = now()

    def side(snapshot: Snapshot) -> Imagining:
        computing = computing_here(site) if scripting and snapshot.scripting is not None else None
        return Imagining(Basis(snapshot, builds or _followed(site, snapshot)), at, computing)

    sides = side(base), side(head)
    try:
        yield sides
    finally:
        for each in sides:
            if each.computing is not None:
                each.computing.stop()


def _followed(site: Site | None, snapshot: Snapshot) -> Builds | None:
    if site is None:
        return None
    from gitupd.service.deployments.live import known_builds  # noqa: PLC0415 - as above

    return known_builds(site, snapshot)


def _deciding(side: Imagining, fleet: ComparedFleet) -> Imagining:
    """Return *side* with what people decided on the devices of *fleet*."""
    return replace(side, basis=replace(side.basis, decisions=fleet.decisions))


def _finding(site: Site) -> FindFirmware:
    return lambda build, name: site.firmware.find(build, name) is not None


def _fleet(base: Imagining, head: Imagining, site: Site | None, file: TextIO | None) -> ComparedFleet:
    if file is not None:
        return with_confirmed(base, read_fleet(file.name, _read(file), base.basis.snapshot.policy))
    if site is None:
        return imagined_fleet(base, head)
    return fleet_of_site(site, base.basis.snapshot, head.basis.snapshot)


def _fetched(source: str, token: str, base: Imagining) -> ComparedFleet:
    from gitupd.service.comparison.fetching import fetched_fleet  # noqa: PLC0415 - HTTP is for those who ask a site

    return with_confirmed(base, told_fleet(source, fetched_fleet(source, token), base.basis.snapshot.policy))


def _read(file: TextIO) -> str:
    try:
        return file.read()
    except UnicodeDecodeError as error:
        raise GitupdError(f"{file.name}: no UTF-8: {error.reason}; save it as UTF-8") from error


@contextmanager
def _progress(fleet: ComparedFleet) -> Iterator[Iterable[Device]]:
    """Show on a terminal how far it is."""
    if not sys.stderr.isatty():
        yield fleet.devices
        return
    with click.progressbar(fleet.devices, length=fleet.count, label="comparing", file=sys.stderr) as devices:
        yield devices


def _print(comparison: FleetComparison, form: str, *, full: bool) -> None:
    bounds = FULL if full else BRIEF
    match form:
        case "json":
            click.echo(json.dumps(facts(comparison), indent=2))
        case "markdown":
            click.echo(markdown(comparison, bounds), nl=False)
        case _:
            for line in text(comparison, bounds):
                click.echo(line)
