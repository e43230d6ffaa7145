"""Commands on the roll-out of certificates to devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from gitupd.cli.acting import actor
from gitupd.cli.certificates.authority import crl, init, show_authority
from gitupd.cli.certificates.signing import approve, reject, revoke
from gitupd.cli.completion.kinds import DEVICE, SERIAL_NUMBER
from gitupd.cli.on_site import as_json, on_site
from gitupd.cli.stories.known_devices import serial_meant
from gitupd.cli.terminal import print_facts, printable, readable, zoned
from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import SETTLED, Stage
from gitupd.core.words import counted
from gitupd.errors import GitupdError
from gitupd.service.certificates.handing_in import LARGEST
from gitupd.service.certificates.rolling import RolloutView, rollout_facts
from gitupd.service.clock import now
from gitupd.service.rollouts.collecting import hand_in_matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitupd.service.site import Site

_STAGE = click.Choice([stage.value for stage in Stage])


@click.group()
def certificates() -> None:
    """Certificates of devices: requests, what was signed, what expires."""


for _command in (init, show_authority, crl, approve, reject, revoke):
    certificates.add_command(_command)


@certificates.command("list")
@click.option("--all", "everybody", is_flag=True, help="Those with a good certificate as well.")
@click.option("--stage", "stages", multiple=True, type=_STAGE, help="Only those at this stage.")
@as_json
@on_site
def list_rollouts(site: Site, *, everybody: bool, stages: tuple[str, ...], as_json: bool) -> None:
    """List devices whose certificate is not what it should be, those first that wait for people."""
    wanted = {Stage(stage) for stage in stages} or {stage for stage in Stage if everybody or stage not in SETTLED}
    records = site.rollouts.at(wanted)
    if as_json:
        click.echo(json.dumps([rollout_facts(record) for record in records], indent=2))
        return
    for record in records:
        click.echo(f"{record.serial}  {record.stage:<13}  {zoned(record.stage_at)}  {printable(record.reason)}")
    click.echo(counted(len(records), "device"), err=True)


@certificates.command("show")
@click.argument("device", metavar="DEVICE", type=DEVICE)
@as_json
@on_site
def certificates_show(site: Site, device: str, as_json: bool) -> None:
    """Say what the certificate of a device is at, why, and how it goes on.

    DEVICE is its serial number, name or address.
    """
    record = RolloutView(site).record(serial_meant(site, device))
    if as_json:
        click.echo(json.dumps(rollout_facts(record), indent=2))
    else:
        print_facts(rollout_facts(record, readable))


@certificates.command("request")
@click.argument("device", metavar="DEVICE", type=DEVICE)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--der", is_flag=True, help="In binary form, not as text.")
@on_site
def certificates_request(site: Site, device: str, file: Path | None, der: bool) -> None:
    """Print the signing request of a device, or write it to FILE, for an authority to sign.

    DEVICE is its serial number, all of its name, or its address.
    """
    content = RolloutView(site).request(serial_meant(site, device, whole=True), der=der)
    if file is None:
        click.echo(content, nl=False)
    else:
        file.write_bytes(content)


@certificates.command("upload")
@click.argument("device", metavar="DEVICE", type=DEVICE)
@click.argument("file", type=click.File("rb"))
@on_site
def certificates_upload(site: Site, device: str, file: BinaryIO) -> None:
    """Hand in the signed certificate for the request of a device: PEM, DER or PKCS #7, with its chain or without.

    DEVICE is its serial number, all of its name, or its address.
    """
    record = RolloutView(site).hand_in(serial_meant(site, device, whole=True), file.read(LARGEST + 1), actor(), now())
    click.echo(f"{record.serial} installs it when it polls next")


@certificates.command("requests")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@on_site
def certificates_requests(site: Site, folder: Path) -> None:
    """Write all signing requests that wait into FOLDER, each in PEM as SN.csr, for an authority to sign."""
    folder.mkdir(parents=True, exist_ok=True)
    view = RolloutView(site)
    records = site.rollouts.at({Stage.SIGNING})
    for record in records:
        (folder / f"{record.serial}.csr").write_bytes(view.request(record.serial))
    click.echo(f"{counted(len(records), 'request')} in {folder}", err=True)


@certificates.command("collect")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@on_site
def certificates_collect(site: Site, files: tuple[Path, ...]) -> None:
    """Hand in any number of signed certificates: each finds the request that it was made for by its key.

    FILE is PEM, DER or PKCS #7, with its chain or without, or a folder of such files. Exits with 1 if one of them was
    not taken.
    """
    listed = [each for path in files for each in (sorted(path.iterdir()) if path.is_dir() else [path])]
    refused = 0
    for each in hand_in_matching(site, _contents(listed), actor(), now()):
        if each.serial is not None:
            click.echo(f"{each.serial} installs {each.file} when it polls next")
        else:
            refused += 1
            click.echo(f"{each.file} was not taken: {printable(each.fault)}", err=True)
    if refused:
        raise GitupdError(f"{counted(refused, 'file was', 'files were')} not taken")


def _contents(files: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for path in files:
        try:
            with path.open("rb") as file:
                yield str(path), file.read(LARGEST + 1)
        except OSError as error:
            raise GitupdError(f"can't read {path}: {error.strerror}") from error


@certificates.command("restart")
@click.argument("serials", metavar="SN...", type=SERIAL_NUMBER, nargs=-1, required=True)
@on_site
def certificates_restart(site: Site, serials: tuple[str, ...]) -> None:
    """Have the roll-out to devices start over: all that is left of it is removed, on the device as well."""
    view = RolloutView(site)
    for serial in [view.record(parse_serial(text)).serial for text in serials]:
        view.start_over(serial, actor(), now())
        click.echo(f"{serial} starts over when it polls next")
