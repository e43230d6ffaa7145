"""``gitupd users`` and ``gitupd audit``: who may log in, and who did what."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import PERSON, SUBJECT, TOKEN
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.terminal import zoned
from gitupd.core.moments import beginning, ending
from gitupd.core.people.audit import AuditFilter, Kind, Topic
from gitupd.core.people.person import LONGEST_TOKEN_DAYS, Role, parse_name
from gitupd.core.words import counted
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.clock import now
from gitupd.service.facts import entry_facts, token_facts, user_facts
from gitupd.service.people.access import Access
from gitupd.service.people.passwords import generated_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.service.site import Site

_NO_TERMINAL = "there is no terminal to ask for a password; use --generate, or --password-stdin"

_MOST_COUNTED = 10_000

_role = click.Choice([str(role) for role in Role], case_sensitive=False)
_name = click.argument("name", type=PERSON)


def _with_password(function: Callable[..., None]) -> Callable[..., None]:
    generate = click.option("--generate", is_flag=True, help="Make a password, and print it, this once.")
    read = click.option("--password-stdin", "from_input", is_flag=True, help="Read the password from standard input.")
    return generate(read(function))


def _password(*, from_input: bool, generate: bool) -> str:
    if from_input and generate:
        raise click.UsageError("--generate and --password-stdin exclude each other")
    if generate:
        return generated_password()
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidEntry(_NO_TERMINAL)
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@click.group()
def users() -> None:
    """People who may log in, and the tokens of their programs."""


@users.command()
@click.argument("name")
@click.option("--role", required=True, type=_role, help="What they may do.")
@_with_password
@on_site
def add(site: Site, name: str, role: str, from_input: bool, generate: bool) -> None:
    """Add somebody; the password is asked for."""
    password = _password(from_input=from_input, generate=generate)
    person = Access(site).add(actor(), name, Role(role), password, now())
    click.echo(f"added {person.name} as {person.role}")
    if generate:
        click.echo(f"password: {password}")


@users.command("list")
@as_json
@on_site
def list_users(site: Site, as_json: bool) -> None:
    """List people."""
    people = site.people.users()
    if as_json:
        click.echo(json.dumps([user_facts(person) for person in people], indent=2))
        return
    for person in people:
        click.echo(
            f"{person.name:<24}  {person.role:<13}  {zoned(person.created)}{'  disabled' if person.disabled else ''}"
        )


@users.command()
@_name
@_with_password
@on_site
def passwd(site: Site, name: str, from_input: bool, generate: bool) -> None:
    """Give somebody another password, which is asked for; they are logged out everywhere."""
    password = _password(from_input=from_input, generate=generate)
    Access(site).set_password(actor(), name, password, now())
    click.echo(f"{parse_name(name)} has another password")
    if generate:
        click.echo(f"password: {password}")


@users.command("role")
@_name
@click.argument("role", type=_role)
@on_site
def set_role(site: Site, name: str, role: str) -> None:
    """Let somebody do more, or less."""
    Access(site).set_role(actor(), name, Role(role), now())
    click.echo(f"{parse_name(name)} is {role} now")


@users.command()
@_name
@on_site
def disable(site: Site, name: str) -> None:
    """Keep somebody out, with all their tokens; they are logged out everywhere."""
    Access(site).set_disabled(actor(), name, now(), disabled=True)
    click.echo(f"{parse_name(name)} is disabled")


@users.command()
@_name
@on_site
def enable(site: Site, name: str) -> None:
    """Let somebody in again who was disabled."""
    Access(site).set_disabled(actor(), name, now(), disabled=False)
    click.echo(f"{parse_name(name)} may log in again")


@users.command()
@_name
@on_site
def remove(site: Site, name: str) -> None:
    """Remove somebody with all their tokens."""
    Access(site).remove(actor(), name, now())
    click.echo(f"{parse_name(name)} is removed")


@users.command()
@_name
@click.option("--title", default="command line", show_default=True, help="What it is for.")
@click.option("--role", type=_role, help="What it may do at the most; else what the person may.")
@click.option("--days", type=click.IntRange(1, LONGEST_TOKEN_DAYS), help="How long it is good; else for ever.")
@on_site
def token(site: Site, name: str, title: str, role: str | None, days: int | None) -> None:
    """Make a token with which a program acts for somebody, and print its key, this once."""
    own_role = None if role is None else Role(role)
    made, key = Access(site).add_token(actor(), name, title, now(), role=own_role, days=days)
    click.echo(f"made token {made.id} of {made.user} as {made.role}", err=True)
    click.echo(key)


@users.command()
@_name
@as_json
@on_site
def tokens(site: Site, name: str, as_json: bool) -> None:
    """List somebody's tokens."""
    if site.people.user(parse_name(name)) is None:
        raise SiteError(f"there is nobody called {parse_name(name)}; see: gitupd users list")
    listed = site.people.tokens(parse_name(name))
    if as_json:
        click.echo(json.dumps([token_facts(token) for token in listed], indent=2))
        return
    for token in listed:
        until = "for ever" if token.expires is None else f"until {zoned(token.expires)}"
        used = "never used" if token.used is None else f"used {zoned(token.used)}"
        click.echo(f"{token.id:>4}  {token.title:<24}  {token.role:<13}  {until}, {used}")


@users.command()
@click.argument("number", metavar="ID", type=TOKEN)
@on_site
def revoke(site: Site, number: int) -> None:
    """Revoke a token by its id, which gitupd users tokens shows."""
    gone = Access(site).revoke(actor(), number, now())
    click.echo(f"token {gone.id} of {gone.user}, {gone.title!r}, is revoked")


@click.command()
@click.option("--since", metavar="T", help="Only from then on: 2026-05-01, '2026-05-01 14:30', yesterday, 7d.")
@click.option("--until", metavar="T", help="Only until then, a day or a minute included.")
@click.option("--show", type=click.Choice([str(topic) for topic in Topic]), help="Only what is about that.")
@click.option("--who", "person", type=PERSON, help="Only what this one did.")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), help="Only this.")
@click.option("--subject", type=SUBJECT, help="Only what was done to that: a person, a device, a whole commit id.")
@click.option("--text", help="Only what has this in who, subject or detail.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at the most.")
@as_json
@on_site
def audit(
    site: Site, *, since: str | None, until: str | None, show: str | None, limit: int, as_json: bool, **words: str
) -> None:
    """List who did what, the latest first.

    Days and times are those of the site's time_zone, unless they say another one: 2026-05-01T14:30Z.
    """
    zone, present = site.settings.zone, now()
    start = beginning(since, zone, present) if since else None
    end = ending(until, zone, present) if until else None
    words["who"] = words.pop("person")
    asked = AuditFilter(Topic(show) if show else None, since=start, until=end, **words)
    entries = site.audit.found(asked, limit)
    if as_json:
        click.echo(json.dumps([entry_facts(entry) for entry in entries], indent=2))
        return
    for entry in entries:
        what = "  ".join(part for part in (entry.subject, entry.detail) if part)
        origin = f" from {entry.address}" if entry.address else ""
        click.echo(f"{zoned(entry.at, zone)}  {entry.kind:<13}  {entry.who}{origin}  {what}".rstrip())
    if len(entries) == limit and (total := site.audit.count(asked, _MOST_COUNTED + 1)) > limit:
        counted_all = counted(total, "entry", "entries") if total <= _MOST_COUNTED else f"more than {_MOST_COUNTED:,}"
        click.echo(f"the latest {limit:,} of {counted_all}; more: --limit", err=True)
