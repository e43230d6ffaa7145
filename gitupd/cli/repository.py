"""Commands on a configuration repository; none of them needs a server."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.completion.kinds import (
    ADDRESS,
    BUILD,
    BUILDS,
    ENVIRONMENTS,
    MODEL,
    NAME,
    PHASE,
    REVISION_HERE,
    SCHEMA,
    SERIAL_NUMBER,
    SITE,
)
from gitupd.cli.problem_formats import PRINTERS
from gitupd.cli.terminal import harmless
from gitupd.config.loader import load
from gitupd.core.firmware import Builds
from gitupd.core.imagined import SERIAL, ImaginedDevice
from gitupd.core.situation import Basis
from gitupd.core.words import counted
from gitupd.errors import GitupdError, InvalidConfiguration, Problem, Severity, SiteError
from gitupd.resources import schema as read_schema
from gitupd.resources import schema_files, schema_names
from gitupd.service.clock import now
from gitupd.service.deployments.examining import examined
from gitupd.service.imagining import Imagining
from gitupd.service.sources import Source, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gitupd.core.imagined import ImaginedPoll
    from gitupd.core.script import ScriptLine
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.scripting.computing import Computing
    from gitupd.service.site import Site
    from gitupd.store.git.repository import LineOrigin

path_argument = click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")
scripting_option = click.option(
    "--scripting/--no-scripting", default=None, help="Run the configuration's own scripting.py, or leave it out."
)
rev_option = click.option(
    "--rev", metavar="REV", type=REVISION_HERE, help="A branch, tag or commit; else the files as they lie there."
)

_DEVICE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--type", {"type": MODEL, "required": True, "help": "Its model, such as IP222."}),
    ("--sn", {"type": SERIAL_NUMBER, "default": SERIAL, "show_default": True, "help": "Its serial number."}),
    ("--env", {"type": ENVIRONMENTS, "help": "The environments in its update URL, comma-separated."}),
    ("--phase", {"type": PHASE, "help": "The phase in its update URL."}),
    ("--polling", {"help": "The polling in its update URL."}),
    ("--firmware", {"type": BUILD, "help": "The build that it reports (PROT)."}),
    ("--bootcode", {"type": BUILD, "help": "The boot code that it reports (BOOT)."}),
    ("--check", {"help": "The CHECK serial that it reports."}),
    ("--hwid", {"help": "Its hardware id; made of type and serial number if not given."}),
    (
        "--ip",
        {"type": ADDRESS, "default": "192.0.2.1", "show_default": True, "help": "The address that it says it has."},
    ),
    ("--name", {"type": NAME, "help": "The name that it gives itself."}),
    ("--host", {"metavar": "HOST[:PORT][/DIRECTORY]", "help": "Where it calls."}),
    ("--https/--http", {"default": None, "help": "How it calls; as the configuration requires if not given."}),
    (
        "--certificate/--no-certificate",
        {"default": None, "help": "Whether it shows a client certificate; as required if not given."},
    ),
    (
        "--answer",
        {
            "metavar": "QUERY=FILE",
            "multiple": True,
            "help": "What it has answered to a query; may be given several times.",
        },
    ),
    ("--master", {"type": BUILDS, "metavar": "FIRMWARE,BOOTCODE", "help": "The builds that the master device runs."}),
    ("--strict", {"is_flag": True, "help": "End with 1 if no class has the model, instead of warning."}),
)


def device_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that describe a device."""
    for name, settings in reversed(_DEVICE):
        function = click.option(name, **settings)(function)
    return function


def _device(options: dict[str, Any]) -> ImaginedDevice:
    return ImaginedDevice(
        model=options["type"],
        serial=options["sn"],
        environments=options["env"],
        phase=options["phase"],
        polling=options["polling"],
        firmware=options["firmware"],
        bootcode=options["bootcode"],
        check=options["check"],
        hardware_id=options["hwid"],
        address=options["ip"],
        name=options["name"],
        place=options["host"],
        https=options["https"],
        certificate=options["certificate"],
    )


def builds_of(master: str | None) -> Builds | None:
    """Return the builds in FIRMWARE,BOOTCODE, None for nothing."""
    if not master:
        return None
    firmware, _, bootcode = master.partition(",")
    return Builds(firmware, bootcode or firmware)


def _answers(pairs: Iterable[str]) -> dict[str, bytes]:
    """Return what stands in the files of QUERY=FILE, by query."""
    answers = {}
    for pair in pairs:
        query, _, name = pair.partition("=")
        try:
            answers[query] = Path(name).read_bytes()
        except OSError as error:
            raise click.UsageError(f"--answer {pair}: {error.strerror}; write QUERY=FILE") from error
    return answers


@contextmanager
def imagining_of(source: Source, scripting: bool | None, builds: Builds | None = None) -> Iterator[Imagining]:
    """Imagine polls of *source*, with its own code run if *scripting*; None is good for a configuration without any."""
    snapshot = load(source.files, source.commit)
    if snapshot.scripting is not None and scripting is None:
        raise GitupdError(
            "this configuration computes lines by scripting.py; give --scripting to have that code run on this machine,"
            " or --no-scripting to leave its lines out"
        )
    computing = computing_here() if scripting else None
    try:
        yield Imagining(Basis(snapshot, builds), now(), computing)
    finally:
        if computing:
            computing.stop()


def computing_here(site: Site | None = None) -> Computing:
    """Return what runs a configuration's own code on this machine, where somebody has asked for that.

    The code is told what *site* remembers of devices, and runs within its limits.
    """
    from gitupd.service.scripting.computing import Computing  # noqa: PLC0415 - lxml and structlog are for few commands
    from gitupd.settings import Settings  # noqa: PLC0415 - as above

    return Computing(replace(site.settings if site else Settings(), scripting=True), site)


def _poll(source: Source, scripting: bool | None, options: dict[str, Any]) -> ImaginedPoll:
    with imagining_of(source, scripting, builds_of(options["master"])) as imagining:
        device = _device(options)
        imagining.check(device)
        for slip in imagining.slips(device):
            if options["strict"]:
                raise GitupdError(slip.text)
            click.echo(harmless(f"warning: {slip.text}"), err=True)
        return imagining.poll(device, _answers(options["answer"]) or None)


@click.command()
@path_argument
@rev_option
@click.option(
    "--format",
    "form",
    type=click.Choice(list(PRINTERS)),
    default="text",
    show_default=True,
    help="How to print problems.",
)
@click.option("--site", type=SITE, help="Also say what it would mean for this site.")
def validate(path: Path, rev: str | None, form: str, site: Path | None) -> None:
    """Print every problem of a configuration with file, line, column and a hint; exit with 1 if there is an error."""
    try:
        snapshot, problems = examined(read_source(path, rev).files, now())
        problems = (*problems, *(_concerns(site, snapshot) if site else ()))
    except InvalidConfiguration as error:
        problems = error.problems
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    PRINTERS[form](problems)
    if form == "text":
        click.echo(f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}", err=True)
    if errors:
        sys.exit(1)


def _concerns(place: Path, snapshot: Snapshot) -> tuple[Problem, ...]:
    """Return what a configuration would mean for a site; only who asks for that waits for the database."""
    from gitupd.service.deployments.concerns import concerns  # noqa: PLC0415 - see above
    from gitupd.service.site import Site  # noqa: PLC0415 - see above

    site = Site(place)
    try:
        site.database.migrate()
        return concerns(site, snapshot)
    finally:
        site.close()


@click.command()
@path_argument
@rev_option
@scripting_option
@device_options
def render(path: Path, rev: str | None, scripting: bool | None, **options: Any) -> None:
    """Print the exact text that a device would get."""
    body = _poll(read_source(path, rev), scripting, options).body
    if sys.stdout.isatty():
        click.echo(harmless(body.decode(errors="replace").replace("\r\n", "\n")), nl=False)
    else:
        sys.stdout.buffer.write(body)


@click.command()
@path_argument
@rev_option
@scripting_option
@device_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(path: Path, rev: str | None, scripting: bool | None, as_json: bool, **options: Any) -> None:
    """Print for each line that a device would get where it is from: file, line, commit and author."""
    source = read_source(path, rev)
    script = _poll(source, scripting, options).script
    origins = {snippet.path: source.origins(snippet.path) for snippet in script.selected}
    rows = [_row(line, origins) for line in script.lines]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = min(60, max((len(str(row["origin"])) for row in rows), default=0))
    for row in rows:
        click.echo(harmless(f"{row['origin']:<{width}}  {row['text']}"))


def _row(line: ScriptLine, origins: Mapping[str, Sequence[LineOrigin]]) -> dict[str, Any]:
    if line.path is None:
        return {"text": line.text, "file": None, "line": None, "commit": None, "author": None, "origin": "gitupd"}
    blamed = origins.get(line.path)
    if not line.line:
        return {"text": line.text, "file": line.path, "line": None, "commit": None, "author": None, "origin": line.path}
    commit = blamed[line.line - 1].commit if blamed and line.line <= len(blamed) else None
    whence = f"{commit.id[:8]} {commit.author.partition(' <')[0]}" if commit else "uncommitted"
    return {
        "text": line.text,
        "file": line.path,
        "line": line.line,
        "commit": commit and commit.id,
        "author": commit and commit.author,
        "origin": f"{line.path}:{line.line} {whence}",
    }


@click.command()
@click.argument("name", required=False, type=SCHEMA)
@click.option("--all", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Write all schemas to DIR.")
def schema(name: str | None, folder: Path | None) -> None:
    """Print the JSON Schema called NAME, or the names of all.

    Editors find the schemas in the folder .schemas of a configuration repository, where --all brings them up to date.
    """
    if folder is not None:
        if name is not None:
            raise click.UsageError("either NAME, or --all")
        _write_schemas(folder)
        return
    if name is None:
        click.echo("\n".join(schema_names()))
        return
    try:
        click.echo(json.dumps(read_schema(name), indent=2))
    except GitupdError as error:
        raise click.UsageError(str(error)) from error


def _write_schemas(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in schema_files(str(folder)).items():
            Path(path).write_bytes(content)
    except OSError as error:
        raise SiteError(f"the schemas can't be written to {folder}: {error.strerror}") from error
    click.echo(f"{counted(len(schema_names()), 'schema')} written to {folder}", err=True)
