"""``gitupd secrets``: what is encrypted in the configuration, and to whom."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import KEY, SITE
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import harmless
from gitupd.core.words import counted
from gitupd.errors import SiteError
from gitupd.service.clock import now
from gitupd.service.secrets.checkout import SealedCheckout
from gitupd.service.secrets.keys import forget_keys, make_another_key, make_key
from gitupd.settings import site_from_environment
from gitupd.store.places import SECRETS_KEY
from gitupd.store.secrets import SecretsKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitupd.service.site import Site

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder for its owner alone is made in it
_folder = click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".")


def _with_key(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where the key is."""
    site = click.option("--site", type=SITE, help="The site whose key opens files.")
    own = click.option(
        "--identity", type=click.Path(path_type=Path, dir_okay=False), help="A file with a private key of age, instead."
    )
    return site(own(function))


def _key(site: Path | None, identity: Path | None) -> SecretsKey:
    if identity is not None:
        return SecretsKey(identity)
    place = site or site_from_environment()
    if place is None:
        raise SiteError("no key to open files with: give --site DIR, or --identity FILE")
    return SecretsKey(Path(place) / SECRETS_KEY)


@click.group()
def secrets() -> None:
    """Encrypt what only the server and devices may read: snippets and values in the configuration repository."""


@secrets.command()
@on_site
def init(site: Site) -> None:
    """Make the site's key, and print its recipient: to whom files are encrypted that this site can open."""
    recipient = make_key(site, actor(), now())
    click.echo(recipient)
    click.echo(f"copy {site.secrets_key.path} to a safe place: without it nothing of what is encrypted opens", err=True)
    click.echo(f"in the configuration repository: gitupd secrets recipients --add {recipient}", err=True)


@secrets.command()
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--remove", is_flag=True, help="Remove the plain text, also from the index of Git.")
@_with_key
def encrypt(files: tuple[Path, ...], remove: bool, site: Path | None, identity: Path | None) -> None:
    """Write files encrypted beside themselves; without FILE, encrypt anew all below this folder that are encrypted."""
    for path in files:
        click.echo(SealedCheckout.around(path).seal(path, remove=remove))
        if not remove:
            click.echo(f"{path} is still there in plain text: remove it before you commit", err=True)
    if not files:
        checkout = SealedCheckout(Path())
        _tell(*checkout.change(checkout.recipients(), _key(site, identity).opener()))


@secrets.command()
@click.argument("path", metavar="FILE.age", type=click.Path(path_type=Path, dir_okay=False))
@_with_key
def edit(path: Path, site: Path | None, identity: Path | None) -> None:
    """Open an encrypted file in your editor, and encrypt it again if it was changed; one that is not there is made."""
    checkout = SealedCheckout.around(path)
    before = checkout.plain(path, _key(site, identity).opener())
    with _private_folder() as folder:
        draft = folder / path.name.removesuffix(".age")
        draft.touch(0o600)
        draft.write_bytes(before)
        while True:
            click.edit(filename=str(draft))
            after = draft.read_bytes()
            faults = checkout.faults(path, after) if after != before else ()
            for fault in faults:
                click.echo(harmless(fault), err=True)
            if not faults:
                break
            if not sys.stdin.isatty() or not click.confirm("Edit it again?", default=True, err=True):
                raise SiteError(f"{path} was left as it was")
    if after == before:
        click.echo("nothing was changed", err=True)
        return
    checkout.put(path, after)
    click.echo(path)


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Give the block a folder that only its owner can look into, in memory if there is such a place.

    It is removed however the block ends, also by a signal that asks the program to end.
    """
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with TemporaryDirectory(prefix="gitupd-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
            yield Path(folder)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


@secrets.command()
@_folder
@click.option("--forget", is_flag=True, help="Forget older keys that what is deployed does not need.")
@on_site
def rotate(site: Site, path: Path, forget: bool) -> None:
    """Make another key for the site, and encrypt all of the configuration in PATH to it instead of the older ones.

    Older keys stay, for what is deployed may need them, until they are forgotten by --forget.
    """
    key = site.secrets_key
    if forget:
        click.echo(f"{counted(forget_keys(site, actor(), now()), 'key')} forgotten")
        return
    checkout = SealedCheckout(path)
    listed, older = checkout.recipients(), key.recipients()
    recipient = make_another_key(site, actor(), now())
    click.echo(recipient)
    others = [each for each in listed if each not in older]
    _tell(*checkout.change([recipient, *others], key.opener()))
    click.echo("commit and deploy that; then: gitupd secrets rotate --forget", err=True)


@secrets.command()
@_folder
@click.option("--add", metavar="RECIPIENT", multiple=True, help="Encrypt to them, too.")
@click.option("--remove", metavar="RECIPIENT", type=KEY, multiple=True, help="Encrypt to them no longer.")
@_with_key
@as_json
def recipients(path: Path, site: Path | None, identity: Path | None, as_json: bool, **change: tuple[str, ...]) -> None:
    """List to whom is encrypted in PATH, and which files are not; or change that, and encrypt all files anew."""
    checkout = SealedCheckout(path)
    if change["add"] or change["remove"]:
        _change(checkout, change["add"], change["remove"], lambda: _key(site, identity))
        return
    listed, lagging = checkout.recipients(), checkout.lagging()
    facts: dict[str, Any] = {"recipients": listed, "lagging": [str(each.relative_to(path)) for each in lagging]}
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for each in listed:
        click.echo(harmless(each))
    for file in facts["lagging"]:
        click.echo(harmless(f"{file}: not encrypted to all of them; gitupd secrets encrypt does that"), err=True)


def _change(
    checkout: SealedCheckout, added: Iterable[str], removed: Iterable[str], key: Callable[[], SecretsKey]
) -> None:
    try:
        listed = checkout.recipients()
    except SiteError:
        listed = ()
    strangers = [each for each in removed if each not in listed]
    if strangers:
        raise SiteError(f"{strangers[0]} is none of the recipients")
    wanted = [each for each in (*listed, *added) if each not in removed]
    # Without encrypted files nobody needs a key.
    opener = key().opener() if checkout.files() else lambda content: content
    _tell(*checkout.change(wanted, opener))


def _tell(done: list[Path], closed: list[Path]) -> None:
    for path in done:
        click.echo(path)
    if closed:
        named = ", ".join(map(str, closed))
        raise SiteError(f"can't be decrypted by this key, and left as they were: {named}")
