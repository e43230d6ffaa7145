"""``gitupd completion``: the script by which a shell completes commands of gitupd."""

from __future__ import annotations

import shutil
from pathlib import PurePath

import click

from gitupd.cli.completion.shells import SHELLS
from gitupd.errors import GitupdError
from gitupd.settings import shell_of_the_account

_PROGRAM = "gitupd"
_VARIABLE = "_GITUPD_COMPLETE"


@click.command()
@click.argument("shell", metavar="[bash|zsh|fish]", type=click.Choice(list(SHELLS)), required=False)
def completion(shell: str | None) -> None:
    """Print the script by which a shell completes commands of gitupd; without an argument, for the shell of SHELL.

    \b
    Write it into a file, once, where new shells find it:
      bash  ~/.local/share/bash-completion/completions/gitupd
      zsh   _gitupd in a folder of fpath, such as ~/.zfunc
      fish  ~/.config/fish/completions/gitupd.fish

    \b
    Or have this shell take it now:
      eval "$(gitupd completion bash)"
      eval "$(gitupd completion zsh)"
      gitupd completion fish | source

    Bash needs version 4.4 or newer, and for the file the package bash-completion; zsh needs compinit.

    Serial numbers, names, revisions and what else is at a site are those of --site, else GITUPD_SITE, else the current
    directory. Nothing is changed there; where it can't be looked at, nothing is offered.
    """
    shell_class = SHELLS[shell or _own_shell()]
    click.echo(shell_class(click.Command(_PROGRAM), {}, _PROGRAM, _VARIABLE).source(), nl=False)
    if shutil.which(_PROGRAM) is None:
        click.echo(
            f"nothing is called {_PROGRAM} on the PATH, and the script completes what is called so: add its folder",
            err=True,
        )


def _own_shell() -> str:
    """Return which shell SHELL names; raises GitupdError if it is none of those that can be told."""
    program = shell_of_the_account()
    name = PurePath(program).name
    if name not in SHELLS:
        said = f"SHELL names {program[:80]!r}" if program else "SHELL names none"
        raise GitupdError(f"{said}, and a script there is for bash, zsh and fish: write gitupd completion bash")
    return name
