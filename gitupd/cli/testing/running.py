"""The command that runs render tests, says what they reach, and writes golden scripts."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.repository import imagining_of, path_argument, rev_option, scripting_option
from gitupd.cli.terminal import harmless
from gitupd.config.loader import NOT_COMMITTED
from gitupd.errors import InvalidConfiguration, SiteError, has_errors
from gitupd.service.clock import now
from gitupd.service.deployments.examining import examined
from gitupd.service.sources import read_source
from gitupd.service.testing.covering import Watch
from gitupd.service.testing.golden import golden_update, write_golden
from gitupd.service.testing.running import run_tests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.core.testing.coverage import Reached
    from gitupd.service.imagining import Imagining
    from gitupd.service.sources import Source
    from gitupd.service.testing.golden import GoldenUpdate
    from gitupd.service.testing.running import RenderResult

_MOST_NAMED = 5


@click.command("test")
@path_argument
@rev_option
@scripting_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a report for CI to this file.")
@click.option("--coverage", "listed", is_flag=True, help="List all that no test reaches; with --json, tell it, too.")
@click.option(
    "--require-coverage",
    "required",
    metavar="PERCENT",
    type=click.IntRange(0, 100),
    help="Exit with 1 if the tests reach less.",
)
@click.option("--update", is_flag=True, help="Write the golden scripts that tests name, where they are not so.")
def run_render_tests(
    path: Path, rev: str | None, scripting: bool | None, update: bool, required: int | None, **output: Any
) -> None:
    """Run the render tests of a configuration; exit with 1 if one fails.

    What makes a difference to devices and is reached by no test is told behind them: snippets, the ways that templates
    may go, classes, environments and what they imply, phases.
    """
    source = read_source(path, rev)
    if update:
        _check_writable(source, rev, scripting)
    with imagining_of(source, scripting) as imagining:
        results, coverage = _run(imagining, source)
        if update:
            changes = golden_update(results, source.files)
            write_golden(path, changes)
            _tell(changes)
            source = replace(source, files={**source.files, **changes.written})
            results, coverage = _run(imagining, source)
    is_short = required is not None and coverage.percent < required
    _report(results, coverage, required, **output)
    if not results:
        raise SiteError("no render test was run: tests/*.yaml has none; write one, or leave gitupd test out")
    if is_short:
        click.echo(f"the tests reach {coverage.percent} %, less than {required} %", err=True)
    if is_short or any(result.failures for result in results):
        sys.exit(1)


def _run(imagining: Imagining, source: Source) -> tuple[list[RenderResult], Reached]:
    watch = Watch(imagining.basis.snapshot)
    results = run_tests(replace(imagining, basis=replace(imagining.basis, snapshot=watch.snapshot)), source.files)
    return results, watch.coverage(results)


def _check_writable(source: Source, rev: str | None, scripting: bool | None) -> None:
    """Raise what keeps golden scripts from being written: a place without files, or a configuration with errors."""
    if rev is not None:
        raise click.UsageError("--update writes into a folder, and --rev reads a commit; leave one of them out")
    if scripting is False:
        raise click.UsageError("--update with --no-scripting would leave computed lines out of golden scripts")
    if source.commit != NOT_COMMITTED:
        raise SiteError("a bare repository has no files to write golden scripts into; clone it, and do so there")
    _, problems = examined(source.files, now())
    if has_errors(problems):
        raise InvalidConfiguration(problems)


def _tell(changes: GoldenUpdate) -> None:
    for path in sorted(changes.written):
        click.echo(harmless(f"{'written' if path in changes.new else 'changed':<7} {path}"), err=True)
    for path in changes.unnamed:
        click.echo(harmless(f"unused  {path}: no test names it"), err=True)
    if not changes.written:
        click.echo("golden scripts are as they are to be; nothing is written", err=True)


def _report(
    results: Sequence[RenderResult],
    coverage: Reached,
    required: int | None,
    *,
    as_json: bool,
    junit: Path | None,
    listed: bool,
) -> None:
    if junit is not None:
        _write_report(junit, results, coverage, required)
    if as_json:
        rows = [{"path": result.path, "name": result.name, "failures": list(result.failures)} for result in results]
        told = {"tests": rows, "coverage": _told(coverage)}
        click.echo(json.dumps(told if listed or required is not None else rows, indent=2))
        return
    for result in results:
        click.echo(harmless(f"{'FAILED' if result.failures else 'ok':<7} {result.path}: {result.name}"))
        for failure in result.failures:
            click.echo(harmless(f"        {failure}"))
    for line in _in_words(coverage, None if listed else _MOST_NAMED) if results else ():
        click.echo(harmless(line))
    click.echo(f"{sum(not result.failures for result in results)} of {len(results)} passed", err=True)


def _told(coverage: Reached) -> dict[str, Any]:
    kinds = {
        kind.value: {"count": count, "unreached": list(names)} for kind, (count, names) in coverage.by_kind.items()
    }
    return {"percent": coverage.percent, "count": len(coverage.parts), "reached": coverage.count, "kinds": kinds}


def _in_words(coverage: Reached, most: int | None) -> Iterator[str]:
    """Yield what the tests reach and what not, at the *most* so many names of each kind."""
    whole = f"reached {coverage.count:,} of {len(coverage.parts):,} ({coverage.percent} %)"
    if coverage.count == len(coverage.parts):
        yield whole
        return
    yield f"{whole}; no test reaches"
    for kind, (count, names) in coverage.by_kind.items():
        if names:
            more = f" and {len(names) - most:,} more" if most is not None and len(names) > most else ""
            yield f"        {kind.value} ({len(names):,} of {count:,}): {', '.join(names[:most])}{more}"


def _write_report(file: Path, results: Sequence[RenderResult], coverage: Reached, required: int | None) -> None:
    from gitupd.cli.testing.junit import junit_report  # noqa: PLC0415 - for who asks

    try:
        file.write_bytes(junit_report(results, coverage, required))
    except OSError as error:
        raise SiteError(f"the report can't be written to {file}: {error.strerror}") from error
