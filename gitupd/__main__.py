"""``python -m gitupd`` is the program ``gitupd``."""

from gitupd.cli.main import main

main()
