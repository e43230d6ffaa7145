"""``gitupd certificates init``, ``authority`` and ``crl``: the authority of a site's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.acting import actor
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import harmless, print_facts
from gitupd.errors import GitupdError, SiteError
from gitupd.service.certificates.configuring import (
    POLICY,
    add_to_folder,
    by_hand,
    chain_files,
    commit_configured,
    keeps_factory_certificates,
)
from gitupd.service.certificates.founding import (
    Founding,
    TakingOver,
    check_passphrase,
    default_name,
    found,
    found_again,
    random_passphrase,
    require_none,
    take_over,
)
from gitupd.service.certificates.own_authority import own_authority, own_authority_facts
from gitupd.service.certificates.revoked_lists import published
from gitupd.service.clock import now
from gitupd.store.certificates.making import KEYS

if TYPE_CHECKING:
    from gitupd.service.site import Site
    from gitupd.store.certificates.authority import OwnAuthority

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


_INTO = click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Write what belongs into the configuration into this folder, where it is checked out.",
)
_COMMIT = click.option("--commit", is_flag=True, help="Commit that to the branch that the site follows.")


@click.command("init")
@click.option("--name", help="What the names of both authorities begin with; else the name of this machine.")
@click.option("--key", "kind", type=click.Choice(KEYS), default=KEYS[0], show_default=True, help="The kind of keys.")
@click.option("--root-days", type=click.IntRange(1, 36_500), default=7300, show_default=True, help="Life of the root.")
@click.option(
    "--days", type=click.IntRange(1, 36_500), default=3650, show_default=True, help="Life of the issuing authority."
)
@click.option("--root-passphrase-file", type=_FILE, help="What the root's key is encrypted with; else it is asked for.")
@click.option("--import-certificate", type=_FILE, help="Take this issuing authority over, and make none.")
@click.option("--import-key", type=_FILE, help="The key of that, PEM or DER.")
@click.option("--import-passphrase-file", type=_FILE, help="What that key is encrypted with.")
@click.option("--import-chain", type=_FILE, help="The certificates above it, up to the root.")
@click.option("--again", is_flag=True, help="Make another issuing authority below the root that is there.")
@click.option("--root-key", type=_FILE, help="With --again: the root's key, if it is not in the site any more.")
@click.option(
    "--stolen", is_flag=True, help="With --again: have the root revoke the one before, and all it has signed."
)
@_INTO
@_COMMIT
@on_site
def init(site: Site, **given: Any) -> None:
    """Make an authority of the site's own, which signs certificates of devices: a root, and one below it that signs.

    Their keys are encrypted. The passphrase of the root's is asked for, or made and printed once; the server never
    needs it. What belongs into the configuration repository is printed, written into a folder, or committed.
    """
    _check_usage(given)
    if given["import_certificate"] is not None:
        authority = take_over(site, _importing(given), actor(), now())
    elif given["again"]:
        authority = _again(site, given)
    else:
        require_none(site)
        passphrase = _root_passphrase(given["root_passphrase_file"])
        authority = found(site, _founding(given), passphrase, actor(), now())
    click.echo(harmless(f"{authority.reading.certificate.name} signs for devices from now on"))
    _configure(site, authority, into=given["into"], commit=given["commit"])


@click.command("authority")
@_INTO
@_COMMIT
@as_json
@on_site
def show_authority(site: Site, *, into: Path | None, commit: bool, as_json: bool) -> None:
    """Say who signs for the site's devices, until when, and what is wrong with it."""
    _check_place(into, commit=commit)
    facts, authority = own_authority(site, now()), site.authority.current()
    if facts is None or authority is None:
        raise SiteError("the site has no authority; make one: gitupd certificates init")
    if into is not None or commit:
        _configure(site, authority, into=into, commit=commit)
        return
    plain = own_authority_facts(facts)
    if as_json:
        click.echo(json.dumps(plain, indent=2))
        return
    troubles = plain.pop("troubles")
    print_facts(plain)
    for trouble in troubles:
        click.echo(harmless(f"warning: {trouble}"), err=True)


@click.command("crl")
@click.option("--der", is_flag=True, help="In binary form, not as text.")
@on_site
def crl(site: Site, *, der: bool) -> None:
    """Print the list of what the site's authority has revoked."""
    authority = site.authority.current()
    listed = published(site, authority) if authority is not None else None
    if listed is None:
        raise SiteError("the site has no list of revoked certificates; see: gitupd certificates authority")
    click.echo(listed.der if der else listed.pem, nl=False)


def _check_usage(given: dict[str, Any]) -> None:
    is_imported = given["import_certificate"] is not None
    if is_imported != (given["import_key"] is not None):
        raise click.UsageError("--import-certificate and --import-key belong together")
    if is_imported and given["again"]:
        raise click.UsageError("take an authority over, or make another one: not both")
    if not given["again"] and (given["stolen"] or given["root_key"]):
        raise click.UsageError("--stolen and --root-key belong to --again")
    _check_place(given["into"], commit=given["commit"])


def _check_place(into: Path | None, *, commit: bool) -> None:
    if into is not None and commit:
        raise click.UsageError("write into a folder, or commit: not both")


def _founding(given: dict[str, Any]) -> Founding:
    return Founding(given["name"] or default_name(), given["kind"], given["root_days"], given["days"])


def _importing(given: dict[str, Any]) -> TakingOver:
    chain, passphrase = given["import_chain"], given["import_passphrase_file"]
    return TakingOver(
        _content(given["import_certificate"]),
        _content(given["import_key"]),
        _line(passphrase) if passphrase else "",
        _content(chain) if chain else b"",
    )


def _again(site: Site, given: dict[str, Any]) -> OwnAuthority:
    site.authority.settle()
    authority = site.authority.current()
    if authority is None:
        raise SiteError("the site has no authority yet; leave --again out")
    file = given["root_passphrase_file"]
    passphrase = _line(file) if file else _asked("Passphrase of the root's key", is_new=False)
    root = site.authority.root(authority, passphrase, _content(given["root_key"]) if given["root_key"] else None)
    return found_again(site, _founding(given), root, actor(), now(), is_stolen=given["stolen"])


def _root_passphrase(file: Path | None) -> str:
    """Return the passphrase in *file*, the one that is typed in, or one of chance, which is printed."""
    chosen = _line(file) if file else _asked("Passphrase for the root's key (empty: one is made)", is_new=True)
    if chosen:
        check_passphrase(chosen)
        return chosen
    made = random_passphrase()
    click.echo(
        f"The root's key is encrypted with this passphrase. Keep it in a safe; it is not shown again:\n\n  {made}\n"
    )
    return made


def _asked(text: str, *, is_new: bool) -> str:
    """Return what is typed in; where nobody sits at a terminal, nothing for a new one."""
    if sys.stdin.isatty():
        typed: str = click.prompt(text, default="", hide_input=True, confirmation_prompt=is_new, show_default=False)
        return typed
    if is_new:
        return ""
    raise GitupdError("nobody can be asked for the root's passphrase here; say --root-passphrase-file")


def _configure(site: Site, authority: OwnAuthority, *, into: Path | None, commit: bool) -> None:
    """Bring what belongs there into the configuration, or say what that is."""
    if commit:
        _commit(site, authority)
    elif into is not None:
        for name in add_to_folder(into, authority):
            click.echo(f"{into / name}")
    else:
        click.echo(
            "\nThis belongs into the configuration repository; gitupd certificates authority --commit puts it there:\n"
        )
        click.echo(harmless(f"# {POLICY}\n{by_hand(authority)}\n"))
        for path, content in chain_files(authority).items():
            click.echo(f"# {path}\n{content.decode()}")


def _commit(site: Site, authority: OwnAuthority) -> None:
    commit = commit_configured(site, authority, actor().name)
    if commit is None:
        click.echo("the configuration has all of it already", err=True)
        return
    click.echo(f"committed as {commit}; it is deployed as other commits are")
    if keeps_factory_certificates(site.config.files(commit)):
        click.echo(
            f"warning: {POLICY} names the vendor's authorities: devices keep their factory certificates", err=True
        )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GitupdError(f"can't read {path}: {error.strerror}") from error


def _line(path: Path) -> str:
    content = _content(path).decode(errors="replace").strip()
    if not content:
        raise GitupdError(f"{path} is empty")
    return content
