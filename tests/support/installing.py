"""gitupd as users have it: built as a wheel, and installed from it into a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """Return a wheel of this checkout, built in *folder*."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, timeout=300)
    return next(folder.glob("gitupd-*.whl"))


def install(wheel: Path, folder: Path) -> Path:
    """Install *wheel* into *folder*, without what it depends on, and return that."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*command, "--target", str(folder), str(wheel)], check=True, capture_output=True, timeout=300)
    return folder
