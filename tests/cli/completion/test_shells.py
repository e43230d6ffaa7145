"""Real shells take what they are told: Bash always, zsh and fish where they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.completing import HOSTILE, SECONDS, offers

from gitupd.cli.completion.shells import joined, quoted

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE = r"""
eval "$(gitupd completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_gitupd_completion gitupd "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
for each in "${COMPREPLY[@]}"; do printf '%s\n' "$each"; done
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the command ``gitupd``."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "gitupd").write_text(f'#!/bin/sh\nexec {sys.executable} -m gitupd "$@"\n')
    (folder / "gitupd").chmod(0o755)
    return folder


def environment(programs: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GITUPD_")}
    return {**inherited, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def bash(script: str, *arguments: str, where: Path, programs: Path) -> str:
    command = ["bash", "--norc", "--noprofile", "-c", script, "bash", *arguments]
    ended = subprocess.run(
        command,
        cwd=where,
        env=environment(programs),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


def replies(*words: str, where: Path, programs: Path) -> list[str]:
    """Return what Bash would put on the line for the last of *words*, which are divided as Bash divides them.

    There is always something; a machine that has too much to do is asked again.
    """
    deadline = time.monotonic() + SECONDS
    while not (found := bash(COMPLETE, "gitupd", *words, where=where, programs=programs)):
        assert time.monotonic() < deadline, words
    return found.splitlines()


def test_commands_options_and_choices(place: Path, programs: Path) -> None:
    assert replies("dev", where=place, programs=programs) == ["device", "devices"]
    assert replies("devices", "--desc", where=place, programs=programs) == ["--descending"]
    assert replies("devices", "--sort", "mod", where=place, programs=programs) == ["model"]
    assert replies("frobnicate", "", where=place, programs=programs)[:1] == ["accept"]


def test_values_of_a_site(place: Path, programs: Path) -> None:
    assert replies("device", "00-90-33-00-00-03", where=place, programs=programs) == ["00-90-33-00-00-03"]
    assert replies("device", "Lob", where=place, programs=programs) == [r"Lobby\ Ost", r"Lobby\ West"]
    assert replies("device", r"Lobby\ W", where=place, programs=programs) == [r"Lobby\ West"]
    assert replies("device", '"Lobby W', where=place, programs=programs) == ["Lobby West"]
    assert replies("deploy", "ma", where=place, programs=programs) == ["main"]


def test_what_bash_takes_for_the_end_of_a_word_is_put_together(place: Path, tmp_path: Path, programs: Path) -> None:
    assert replies("devices", "env", ":", "ho", where=place, programs=programs) == ["homeoffice"]
    assert replies("devices", "env", ":", where=place, programs=programs) == ["default", "homeoffice", "intranet"]
    assert replies("render", "--env", "=", "ho", where=place, programs=programs) == ["homeoffice"]
    assert replies("render", "--env", "ho", where=place, programs=programs) == ["homeoffice"]
    elsewhere = ("users", "passwd", "--site", "=", str(place), "")
    assert replies(*elsewhere, where=tmp_path, programs=programs) == ["ada"]
    assert replies(
        "device", "00", ":", "90", ":", "33", ":", "00", ":", "00", ":", "1d", where=place, programs=programs
    ) == ["1d"]


def test_names_that_would_be_executed_come_back_as_they_are(place: Path, tmp_path: Path, programs: Path) -> None:
    """Each is put on a line, which Bash then reads: the word is the name, and nothing else happens."""
    (tmp_path / "a file that a star would find").write_text("")
    offered = replies("device", "--site", str(place), "", where=tmp_path, programs=programs)
    names = [each for each in offered if "Desk" not in each and not each.startswith("00-90-33-")]
    line = "".join(f"printf '%s\\0' {each}\n" for each in names)
    read = bash(line, where=tmp_path, programs=programs).split("\0")[:-1]
    expected = {"$(touch executed)", "`touch executed`; touch executed #", "*", 'it\'s a "quote"', "a:b,c"}
    assert set(read) == expected | {"Lobby Ost", "Lobby West"}
    assert [path.name for path in tmp_path.iterdir()] == ["a file that a star would find"]
    assert sum(each.startswith("00-90-33-00-ff-") for each in offered) == len(HOSTILE)


def test_within_quotes_nothing_is_offered_that_would_end_them(place: Path, programs: Path) -> None:
    assert replies("device", '"', where=place, programs=programs).count("Lobby West") == 1
    assert [
        each for each in replies("device", "'", where=place, programs=programs) if set(each) & set("\"'\\$`!")
    ] == []


def test_hidden_characters_do_not_reach_the_other_shells_either(place: Path) -> None:
    offered = offers("device", "", where=place)
    assert all(each.isprintable() for pair in offered.items() for each in pair)
    assert offered["00-90-33-00-ff-04"] == "two plain,lines IP222"
    assert offered["00-90-33-00-ff-0a"] == "bell [31m IP222"
    assert not {"two\nplain,lines", "--reason=x", "back\\slash"} & offered.keys()


def test_hostile_subjects_and_branches(place: Path, tmp_path: Path, programs: Path) -> None:
    site = shutil.copytree(place, tmp_path / "site", symlinks=True)
    git = ["git", f"--git-dir={site / 'config.git'}", "-c", "user.name=Tess", "-c", "user.email=tess@example.org"]
    subject = "$(touch executed)\ttab:colon,comma 'quote' \x1b[31m\n\nplain,body"
    tree = subprocess.run([*git, "rev-parse", "main^{tree}"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(
        [*git, "commit-tree", tree, "-p", "main", "-m", subject], capture_output=True, text=True, check=True
    ).stdout.strip()
    subprocess.run([*git, "update-ref", "refs/heads/x;$(touch${IFS}executed)", commit], check=True)
    offered = offers("deploy", "", where=site)
    assert offered[commit[:12]] == "$(touch executed) tab:colon,comma 'quote' [31m"
    offered_names = replies("deploy", "x", where=site, programs=programs)
    assert offered_names == [r"x\;\$\(touch\$\{IFS\}executed\)"]
    assert bash(f"printf %s {offered_names[0]}", where=site, programs=programs) == "x;$(touch${IFS}executed)"
    assert not (site / "executed").exists()


@pytest.mark.parametrize(
    ("divided", "words", "left"),
    [
        (["gitupd", "de"], ["gitupd", "de"], ""),
        (["gitupd", "devices", "env", ":", "be"], ["gitupd", "devices", "env:be"], "env:"),
        (["gitupd", "devices", "env", ":"], ["gitupd", "devices", "env:"], "env:"),
        (["gitupd", "devices", "env", ":", ""], ["gitupd", "devices", "env:", ""], ""),
        (["gitupd", "x", "--site", "=", "/a", "b"], ["gitupd", "x", "--site=/a", "b"], ""),
        (["gitupd", "show", "00", "@", "1a"], ["gitupd", "show", "00@1a"], "00@"),
    ],
)
def test_words_are_joined_as_they_were_typed(divided: list[str], words: list[str], left: str) -> None:
    assert joined(divided) == (words, left)


def test_what_is_quoted_is_read_back(tmp_path: Path, programs: Path) -> None:
    texts = [*filter(str.isprintable, HOSTILE.values()), "~", "#x", "a b", "!x", "{a,b}", "ü", "é~?[a]&|<>"]
    line = "printf '%s\\0' " + " ".join(map(quoted, texts))
    assert bash(line, where=tmp_path, programs=programs).split("\0")[:-1] == texts


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_takes_the_script(place: Path, programs: Path) -> None:
    script = 'autoload -Uz compinit && compinit -D && eval "$(gitupd completion zsh)" && print $_comps[gitupd]'
    ended = subprocess.run(
        ["zsh", "-f", "-c", script], cwd=place, env=environment(programs), capture_output=True, text=True, check=False
    )
    assert (ended.stdout.strip(), ended.returncode) == ("_gitupd_completion", 0)


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes_values_with_help(place: Path, programs: Path) -> None:
    script = 'gitupd completion fish | source; complete -C "gitupd device Lob"'
    ended = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=place,
        env=environment(programs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Lobby Ost\t00-90-33-00-ff-0b" in ended.stdout.replace("\\ ", " ")
