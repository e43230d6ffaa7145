"""`gitupd emulate`: devices that poll, execute and upload as real ones do, with a live table of what they are doing."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Coroutine, Sequence

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gitupd.cli.completion.kinds import BUILD, ENVIRONMENTS, MODELS, SERIAL_NUMBER
from gitupd.cli.emulated_tls import HELP as TLS_HELP
from gitupd.cli.emulated_tls import tls_options
from gitupd.emulator import report
from gitupd.emulator.address import on_the_wire
from gitupd.emulator.client import local_address, parse_target
from gitupd.emulator.drive import CONCURRENCY, Expedition, Until, new_fleet
from gitupd.emulator.factory import Factory
from gitupd.emulator.fleet import FIRST_SERIAL, Fleet, FleetPlan, Summary, parse_mac
from gitupd.emulator.misbehaviour import MEANINGS, Misbehaviour
from gitupd.emulator.phone import Phone
from gitupd.emulator.signing import RequestKeys
from gitupd.emulator.state import Habits
from gitupd.emulator.tls import TlsHabits

REFRESH = 0.25
FEW_DEVICES = 10  # so many get a line for each of their polls
TABLE_FRAME = 6  # lines of the table that are no devices, and what is above it
DAY, HOUR, MINUTE = 86400, 3600, 60

Progress = Callable[[Fleet], Coroutine[None, None, None]]


def _url(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        parse_target(on_the_wire(value))
    except ValueError as fault:
        raise click.BadParameter(str(fault)) from fault
    return value


def _serial(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        parse_mac(value)
    except ValueError as fault:
        raise click.BadParameter(str(fault)) from fault
    return value


def _types(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    types = tuple(word.strip().upper() for value in values for word in value.split(",") if word.strip())
    if not types:
        raise click.BadParameter("no type is named")
    return types


def _clock(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Turn HH:MM into a moment of today."""
    if value is None:
        return None
    try:
        hour, minute = time.strptime(value, "%H:%M")[3:5]
    except ValueError as fault:
        raise click.BadParameter(f"{value!r} is no time of day like 22:30") from fault
    return time.time() // DAY * DAY + hour * HOUR + minute * MINUTE


HELP = f"""Emulate devices that poll URL, execute and upload like real ones.

They start out of the box: they poll URL as it is, with the placeholders #m (serial number), #t (type),
#h (hardware id) and #i (address) filled in, execute what comes back, load firmware, restart, upload what they
are asked for, and go on with whatever URL the server gave them. None of it leaves a trace outside of the server.

\b
One phone, staged within seconds, until it has nothing left to do:
  gitupd emulate http://127.0.0.1:8080/update.php --type IP222 --speed 300 --until-settled

\b
A thousand phones of two types in two environments:
  gitupd emulate http://127.0.0.1:8080/update.php --type IP222,IP112 --env berlin --env paris --count 1000

\b
What does the server make of ten that hang up in the middle of an upload?
  gitupd emulate http://127.0.0.1:8080/update.php --count 10 --polls 5 --misbehave cut-upload

{TLS_HELP}

\b
Exit code: 0 without errors (with --until-settled: when all devices settled), 1 otherwise, 2 for wrong usage.

\b
What --misbehave knows; a device that …
""" + "".join(f"  {name:<21} {MEANINGS[name]}\n" for name in Misbehaviour)


@click.command(help=HELP)
@click.argument("url", callback=_url)
@click.option(
    "--type",
    "types",
    multiple=True,
    default=("IP222",),
    show_default=True,
    callback=_types,
    metavar="TYPE[,TYPE…]",
    type=MODELS,
    help="Types, given to the devices in turn. Repeatable.",
)
@click.option("--count", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many devices.")
@click.option(
    "--env",
    "environments",
    multiple=True,
    metavar="ENV[,ENV…]",
    type=ENVIRONMENTS,
    help="Environments to put into the URL as ?env=…, given to the devices in turn. Repeatable; a comma makes a list.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 10_000),
    default=1.0,
    show_default=True,
    help="How many seconds pass for the devices in one second: 60 turns a minute into a second.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="Poll this often in device time, whatever the scripts say.",
)
@click.option(
    "--first-serial",
    type=SERIAL_NUMBER,
    default=FIRST_SERIAL,
    show_default=True,
    callback=_serial,
    help="Serial number of the first device; the others follow.",
)
@click.option("--polls", type=click.IntRange(1), help="Stop each device after so many polls.")
@click.option("--until-settled", is_flag=True, help="Stop when no device has anything left to do.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop after so much time on the wall.")
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    default=CONCURRENCY,
    show_default=True,
    help="How many requests to have under way at the same time.",
)
@click.option(
    "--misbehave",
    "misbehaviours",
    multiple=True,
    type=click.Choice([str(name) for name in Misbehaviour]),
    metavar="NAME",
    help="Be a difficult device, in one of the ways listed above. Repeatable.",
)
@click.option(
    "--misbehave-every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Only each Nth device misbehaves.",
)
@click.option(
    "--firmware", default="134250", show_default=True, metavar="BUILD", type=BUILD, help="Build that runs at first."
)
@click.option(
    "--bootcode", default="131286", show_default=True, metavar="BUILD", type=BUILD, help="Boot code that runs at first."
)
@click.option(
    "--omit-builds", is_flag=True, help="Don't report the running builds (PROT, BOOT) before a script had one loaded."
)
@click.option("--address", metavar="IP", help="Address that devices believe to have. [default: this machine's]")
@click.option(
    "--restart",
    type=click.FloatRange(0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a restart takes, in device time.",
)
@click.option(
    "--key-seconds",
    type=click.FloatRange(0),
    default=20,
    show_default=True,
    metavar="SECONDS",
    help="How long a key and its signing request take to make, in device time.",
)
@click.option(
    "--release",
    default="",
    metavar="TEXT",
    help="Release that the version line names at first, such as '12r1 sr5', which takes no certificates. "
    "[default: what follows from --firmware]",
)
@click.option(
    "--spread",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Switch the devices on within so much time on the wall. [default: 200 devices a second]",
)
@click.option(
    "--clock",
    callback=_clock,
    metavar="HH:MM",
    help="Time of day for the devices at the beginning. [default: this machine's]",
)
@click.option("--seed", default=0, show_default=True, help="Chance repeats itself with the same number.")
@tls_options
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and progress on standard error.")
@click.option("--rows", type=click.IntRange(1), help="How many devices the live table shows. [default: what fits]")
@click.option("--plain", is_flag=True, help="Print lines of progress instead of a live table.")
@click.pass_context
def emulate(
    context: click.Context,
    *,
    url: str,
    types: tuple[str, ...],
    count: int,
    environments: tuple[str, ...],
    speed: float,
    interval: float | None,
    first_serial: str,
    polls: int | None,
    until_settled: bool,
    timeout: float | None,
    concurrency: int,
    misbehaviours: tuple[str, ...],
    misbehave_every: int,
    firmware: str,
    bootcode: str,
    omit_builds: bool,
    address: str | None,
    restart: float,
    key_seconds: float,
    release: str,
    spread: float | None,
    clock: float | None,
    seed: int,
    factory: Factory,
    request_keys: RequestKeys,
    tls: TlsHabits,
    as_json: bool,
    rows: int | None,
    plain: bool,
) -> None:
    """Gather what was chosen, go, and report."""
    habits = Habits(
        misbehaviours=frozenset(Misbehaviour(name) for name in misbehaviours),
        report_running_builds=not omit_builds,
        restart_seconds=restart,
        key_seconds=key_seconds,
        release=release,
        interval=interval,
        polls=polls,
    )
    plan = FleetPlan(
        url=url,
        types=types,
        count=count,
        environments=environments,
        first_serial=first_serial,
        firmware=firmware,
        bootcode=bootcode,
        address=address or local_address(on_the_wire(url)),
        misbehaving_share=misbehave_every,
        speed=speed,
        spread=spread,
        started_at=clock,
        seed=seed,
        factory=factory,
        request_keys=request_keys,
        tls=tls,
        habits=habits,
    )
    try:
        fleet = new_fleet(plan)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from fault
    summary = asyncio.run(
        _travel(fleet, Until(until_settled, timeout), concurrency, _progress(plain=plain, as_json=as_json, rows=rows))
    )
    click.echo(json.dumps(summary.as_json(), indent=2) if as_json else report.summary_text(summary))
    context.exit(exit_code(summary, until_settled=until_settled))


def exit_code(summary: Summary, *, until_settled: bool) -> int:
    """Say 0 if all is well: settled if that was asked for, else without errors."""
    good = summary.ended_by == "settled" if until_settled else not summary.error_count
    return 0 if good else 1


async def _travel(fleet: Fleet, until: Until, concurrency: int, progress: Progress) -> Summary:
    """Drive the fleet while showing its progress; Ctrl-C ends both in good order."""
    expedition = Expedition(fleet, until, concurrency)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, expedition.stop.set)
    watching = asyncio.create_task(progress(fleet))
    try:
        return await expedition.run()
    finally:
        watching.cancel()
        await asyncio.wait([watching])


def _progress(*, plain: bool, as_json: bool, rows: int | None) -> Progress:
    console = Console(stderr=as_json)
    if console.is_terminal and not plain:
        return lambda fleet: _live_table(fleet, console, rows)
    return lambda fleet: _plain_lines(fleet, err=as_json)


async def _live_table(fleet: Fleet, console: Console, rows: int | None) -> None:
    """Draw the table a few times a second, in the devices' own event loop: nothing changes while it is drawn."""
    started = time.monotonic()

    def screen() -> Group:
        return _screen(fleet, time.monotonic() - started, console.size.height, rows)

    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        try:
            while True:
                live.update(screen(), refresh=True)
                await asyncio.sleep(REFRESH)
        finally:
            live.update(screen(), refresh=True)


async def _plain_lines(fleet: Fleet, *, err: bool) -> None:
    """Print a line when something changed, at most once a second; few devices get a line for each poll, too."""
    if len(fleet.phones) <= FEW_DEVICES:
        for phone in fleet.phones:
            phone.after_poll = lambda polled: click.echo(report.poll_line(polled), err=err)
    started, last = time.monotonic(), ""
    try:
        while True:
            last = _echo_change(fleet, last, time.monotonic() - started, err=err)
            await asyncio.sleep(1)
    finally:
        _echo_change(fleet, last, time.monotonic() - started, err=err)


def _echo_change(fleet: Fleet, last: str, seconds: float, *, err: bool) -> str:
    line = report.census_line(fleet)
    if line != last:
        click.echo(f"{seconds:6.1f}s  {line}", err=err)
    return line


def _screen(fleet: Fleet, seconds: float, height: int, most: int | None) -> Group:
    """Draw the counts, and as many devices as fit below them, *most* at the most."""
    head = Table.grid(padding=(0, 2))
    polls = sum(phone.polls for phone in fleet.phones)
    settled = sum(phone.settled for phone in fleet.phones)
    rows = {
        "devices": f"{len(fleet.phones)}, {settled} settled; {polls} polls in {seconds:.0f}s",
        "doing": report.counted(fleet.by_activity()),
        "phases": report.counted(fleet.by_phase()),
        "commits": report.counted(report.short(fleet.by_commit())),
        "errors": report.counted(fleet.errors()) or "none",
    }
    for name, text in rows.items():
        head.add_row(Text(name, style="bold"), Text(text))
    room = min(most or height, max(1, height - len(rows) - TABLE_FRAME))
    return Group(head, _devices(fleet.phones[:room]), Text(_rest(len(fleet.phones) - room), style="dim"))


def _rest(hidden: int) -> str:
    return f"… and {hidden} more" if hidden > 0 else ""


def _devices(phones: Sequence[Phone]) -> Table:
    table = Table(expand=True)
    for title in ("serial", "type", "phase", "polls", "build", "boot", "status", "lines", "commit", "check"):
        table.add_column(title, no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("doing", no_wrap=True, ratio=1)
    for phone in phones:
        table.add_row(*(Text(cell) for cell in _cells(phone)), style="green" if phone.settled else "")
    return table


def _cells(phone: Phone) -> list[str]:
    errors = f" ({phone.errors} errors)" if phone.errors else ""
    return [
        phone.serial,
        phone.type,
        phone.phase or "-",
        phone.polling,
        phone.firmware,
        phone.bootcode,
        str(phone.last_status or "-"),
        str(phone.line_count),
        (phone.commit or "-")[:7],
        (phone.check or "-")[:7],
        str(phone.polls),
        phone.doing + errors,
    ]
