"""The program ``gitupd``: all commands, and what becomes of their errors."""

from __future__ import annotations

import gc
import sys

import click

from gitupd import __version__
from gitupd.cli.completion.outline import outlined
from gitupd.cli.completion.shells import register
from gitupd.cli.lazy import Entry, LazyGroup, copyable
from gitupd.errors import GitupdError, InvalidConfiguration

_GARBAGE_AT = 10_000
"""Objects. With 700, the default, a sixth of a command's time went into looking for garbage among what was imported,
and a twentieth of a server's under load."""

COMMANDS = {
    "validate": Entry(
        "gitupd.cli.repository:validate",
        "Print every problem of a configuration with file, line, column and a hint; exit with 1 if there is an error.",
    ),
    "render": Entry("gitupd.cli.repository:render", "Print the exact text that a device would get."),
    "explain": Entry(
        "gitupd.cli.repository:explain",
        "Print for each line that a device would get where it is from: file, line, commit and author.",
    ),
    "plan": Entry(
        "gitupd.cli.comparison:plan",
        "Say which devices would get what else from the commit HEAD than from BASE; exit with 2 if any would.",
    ),
    "test": Entry(
        "gitupd.cli.testing.running:run_render_tests",
        "Run the render tests of a configuration; exit with 1 if one fails.",
    ),
    "comment": Entry(
        "gitupd.cli.pushing.comment:comment",
        "Write FILE as a comment into the pull request that this CI job is about, or over the one of the last time.",
    ),
    "hook": Entry(
        "gitupd.cli.pushing.hooks:hook",
        "Look at commits and pushes for the hooks of Git repositories, and install these.",
    ),
    "schema": Entry("gitupd.cli.repository:schema", "Print the JSON Schema called NAME, or the names of all."),
    "init": Entry(
        "gitupd.cli.sites:init",
        "Create a new site with an example configuration, deployed, and print the password of its administrator, once.",
    ),
    "import-php": Entry(
        "gitupd.cli.importing:import_php", "Create a new site from an installation of the PHP based Update Server."
    ),
    "prove": Entry(
        "gitupd.cli.proof:prove",
        "Compare what a site tells devices with what the server tells them that it replaces.",
    ),
    "serve": Entry(
        "gitupd.cli.sites:serve",
        "Run the server until it is told to stop; SIGHUP replaces its processes without losing a request.",
    ),
    "status": Entry("gitupd.cli.sites:status", "Say what is deployed, and how far the fleet is."),
    "deploy": Entry("gitupd.cli.deployments:deploy", "Deploy a commit: REV is a branch, a tag or a commit id."),
    "rollback": Entry(
        "gitupd.cli.deployments:rollback",
        "Go back to a commit that was deployed before; the one it replaces is blocked.",
    ),
    "unblock": Entry("gitupd.cli.deployments:unblock", "Let a commit be deployed again that a rollback has blocked."),
    "commits": Entry(
        "gitupd.cli.commits:commits",
        "List the commits that were seen on the branch, the latest first, with what became of each and why.",
    ),
    "approve": Entry(
        "gitupd.cli.commits:approve",
        "Approve a commit that somebody else has made: REV is a branch, a tag or a commit id.",
    ),
    "freeze": Entry("gitupd.cli.commits:freeze", "Have nothing be deployed until the freeze is lifted, or until T."),
    "unfreeze": Entry(
        "gitupd.cli.commits:unfreeze",
        "Lift the freeze that somebody has ordered; the calendar of the configuration goes on.",
    ),
    "deployments": Entry("gitupd.cli.deployments:deployments", "List deployments, the latest first."),
    "fetch": Entry(
        "gitupd.cli.upstream:fetch",
        "Fetch what is new in the repository elsewhere that the site follows; exit with 1 if it is refused.",
    ),
    "firmware": Entry("gitupd.cli.firmware:firmware", "Firmware files that devices load from this site."),
    "devices": Entry("gitupd.cli.devices:devices", "List the devices that asked, those that FILTER finds."),
    "searches": Entry(
        "gitupd.cli.listing.saved:searches",
        "Save, list, rename and remove searches for devices that are for everybody; one's own are on the pages.",
    ),
    "environments": Entry(
        "gitupd.cli.devices:environments", "List the environments that devices are in, and how they stand."
    ),
    "device": Entry(
        "gitupd.cli.devices:device",
        "Say all that is known of one device: DEVICE is its serial number, name or address.",
    ),
    "timeline": Entry(
        "gitupd.cli.stories.timeline:timeline",
        "Tell what happened to a device, the latest first: DEVICE is its serial number, name or address.",
    ),
    "requests": Entry(
        "gitupd.cli.stories.requests:requests",
        "Print what a device asked while that was recorded, and what it was answered, the latest first.",
    ),
    "forget": Entry("gitupd.cli.devices:forget", "Forget devices with all that is remembered of them."),
    "accept": Entry(
        "gitupd.cli.admission:accept",
        "Accept devices that nobody knows, so that they are served: those that FILTER finds.",
    ),
    "codes": Entry("gitupd.cli.codes:codes", "One-time codes, by which devices are accepted that nobody knows yet."),
    "touch": Entry(
        "gitupd.cli.devices:touch",
        "Count devices as seen now, so that they are neither missing nor forgotten for the time being.",
    ),
    "certificates": Entry(
        "gitupd.cli.certificates.rollouts:certificates",
        "Certificates of devices: requests, what was signed, what expires.",
    ),
    "backups": Entry(
        "gitupd.cli.backups:backups", "Read the configurations that devices uploaded, and put devices back to them."
    ),
    "trust": Entry(
        "gitupd.cli.certificates.trust:trust",
        "See whose certificates identify devices, and change that.",
    ),
    "secrets": Entry(
        "gitupd.cli.secrets:secrets",
        "Encrypt what only the server and devices may read: snippets and values in the configuration repository.",
    ),
    "notify": Entry(
        "gitupd.cli.notices:notify",
        "Messages to people: who is told of what happened, and whether that works.",
    ),
    "users": Entry("gitupd.cli.people:users", "People who may log in, and the tokens of their programs."),
    "doctor": Entry(
        "gitupd.cli.doctor:doctor",
        "Look for what is to be mended at a site: open files, ends of certificates, the clock, the disk, repositories.",
    ),
    "audit": Entry("gitupd.cli.people:audit", "List who did what, the latest first."),
    "emulate": Entry("gitupd.cli.emulate:emulate", "Emulate devices that poll URL, execute and upload like real ones."),
    "demo": Entry(
        "gitupd.cli.demo:demo", "Create a demonstration site, serve it, and let emulated phones and gateways poll it."
    ),
    "completion": Entry(
        "gitupd.cli.completion.scripts:completion",
        "Print the script by which a shell completes commands of gitupd; without an argument, for the shell of SHELL.",
    ),
}


class Program(LazyGroup):
    """All commands; while one is completed, what is known of them without importing them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called *cmd_name*, None if there is none."""
        return outlined(cmd_name) if ctx.resilient_parsing else super().get_command(ctx, cmd_name)


@click.group(
    cls=Program,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="gitupd")
def cli() -> None:
    """Serve fleets of innovaphone phones and gateways from a Git repository.

    Commands on a configuration repository need no server; commands on a site take --site, else GITUPD_SITE, else the
    current directory.
    """


def main() -> None:
    """Run the program; exit with 0 if it did what was asked, 1 for what the user can mend, 2 for wrong usage."""
    gc.set_threshold(_GARBAGE_AT)
    register()
    try:
        cli(prog_name="gitupd")
    except InvalidConfiguration as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    except GitupdError as error:
        click.echo(copyable(f"gitupd: {error}", cli), err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
