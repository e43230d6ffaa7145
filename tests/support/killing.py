"""Kills a command of gitupd at every moment at which it has the kernel change a file, each time on a site of its own.

Run as a program, below strace, it does the killing: strace counts the calls of each process by their names, and sends
SIGKILL at number so-and-so. That is the same for all: whoever is to die earlier makes some calls to no purpose first.
So one strace, and one start of Python, are enough for all moments.

Below strace each call takes many times as long, and importing makes thousands: so a first command, which nobody kills,
tells what is to be imported before the others are forked. Coverage is not measured, for whoever is killed can't say
what he has covered, and whoever is not would write it down at moments of his own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NOTHING = os.open(os.devnull, os.O_RDWR)
_CALLS: Mapping[str, Callable[[], object]] = {
    "write": lambda: os.write(_NOTHING, b"x"),
    "fsync": lambda: os.fsync(_NOTHING),
    "fdatasync": lambda: os.fdatasync(_NOTHING),
    "ftruncate": lambda: os.ftruncate(_NOTHING, 0),
    "rename": lambda: os.rename("nothing", "called so"),  # noqa: PTH104 - one call, and nothing around it
    "unlink": lambda: os.unlink("nothing"),  # noqa: PTH108 - as above
}
"""By the kernel's names for them, how such a call is made to no purpose.

Not among them is pwrite64, by which SQLite writes pages: they hold only once it has synced them.
"""

_DEADLY = 200
"""The number of the call at which a process is killed; no command makes as many of one name."""

_FREQUENT = frozenset({"write", "fsync", "fdatasync"})
"""Calls that most commands make by the dozen: not each of them is a moment that is worth the time."""

every_moment = False
"""Whether each of them is, all the same (``--every-moment``)."""


def killed_at_many_moments(
    site: Path, folder: Path, *arguments: str | Path, program: str = "gitupd.cli.main:main", step: int = 3
) -> list[Path]:
    """Run ``gitupd`` with *arguments* on copies of *site* in *folder*, killed before its first call, its second ...

    Of calls that are made by the dozen, it is each *step*-th only. *program* is another function that is called
    instead, with the copy as the present folder. Return the copies; the last one is of a command that came to its end.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    folder.mkdir()
    calls = ",".join(_CALLS)
    # With --seccomp-bpf it would be faster, but signals are not sent then.
    inject = f"inject={calls}:signal=KILL:when={_DEADLY}"
    strace = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject]
    # Without this folder in the path, where modules have names that the standard library has as well.
    command = [sys.executable, "-P", __file__, program, str(1 if every_moment else step), site, folder, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    done = subprocess.run(
        [*strace, *command], capture_output=True, text=True, check=False, timeout=600, env=environment
    )
    if "ptrace" in done.stderr:
        pytest.skip(f"nobody may be traced here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return sorted(folder.iterdir(), key=lambda path: path.stat().st_ctime_ns)


def _kill_again_and_again(program: str, step: int, site: Path, folder: Path, arguments: list[str]) -> int:
    """Return the exit code of the last command that was not killed."""
    module, _, function = program.partition(":")
    main = getattr(import_module(module), function)
    sys.argv = ["gitupd", *arguments]
    _import_what_it_needs(main, site, folder.with_name("unharmed"))
    status = 0
    for name in _CALLS:
        for number in count(1, step if name in _FREQUENT else 1):
            child = os.fork()
            if child == 0:
                _die_at(name, number, shutil.copytree(site, folder / f"{name} {number}", symlinks=True))
                main()
                os._exit(0)
            status = os.waitpid(child, 0)[1]
            if os.WIFEXITED(status):
                break
    return os.WEXITSTATUS(status)


def _import_what_it_needs(main: Callable[[], None], site: Path, place: Path) -> None:
    """Import what a command imports in the end: one that runs at *place*, on a copy of *site*."""
    listed = place.with_name("modules")
    child = os.fork()
    if child == 0:
        os.chdir(shutil.copytree(site, place, symlinks=True))
        try:
            main()
        finally:
            listed.write_text("\n".join(sys.modules), encoding="utf-8")
    os.waitpid(child, 0)
    for name in listed.read_text("utf-8").splitlines():
        with suppress(ImportError):
            import_module(name)


def _die_at(name: str, number: int, place: Path) -> None:
    """Have this process killed at its call *number* of that *name*, and go to *place*."""
    os.chdir(place)
    for _ in range(_DEADLY - number):
        with suppress(OSError):
            _CALLS[name]()


if __name__ == "__main__":
    _program, _step, _site, _folder, *_arguments = sys.argv[1:]
    sys.exit(_kill_again_and_again(_program, int(_step), Path(_site), Path(_folder), _arguments))
