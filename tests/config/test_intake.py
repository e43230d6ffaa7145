"""What of a tree is read at all, and what is refused before it is."""

from __future__ import annotations

import pytest

from gitupd.config import intake
from gitupd.config.intake import LARGEST_SCRIPTING, EntryKind, TreeEntry, admit, is_entered, is_read
from gitupd.errors import InvalidConfiguration

MIB = 2**20
_LARGE = "this is no place for large files"


def file(path: str | bytes, size: int = 1) -> TreeEntry:
    return TreeEntry(path if isinstance(path, bytes) else path.encode(), EntryKind.FILE, size)


def folder(path: str, size: int = 1) -> TreeEntry:
    return TreeEntry(path.encode(), EntryKind.FOLDER, size)


def refused(*entries: TreeEntry) -> list[str]:
    with pytest.raises(InvalidConfiguration) as caught:
        admit(entries)
    return str(caught.value).splitlines()


def test_what_gitupd_reads_is_admitted_and_all_else_is_left_alone() -> None:
    read = [
        "phases.yaml", "typo.yml", "scripting.py", "snippets/all-all-all.txt", "policies/delivery.yaml",
        "tests/phones.yaml", "certificates/CAkey.pem", "Snippets/all-all-all.txt", "conf/policies/firmware.yaml",
    ]  # fmt: skip
    others = ["README.md", ".gitlab-ci.yml", "docs/phases.md", "tools/scripting.py", "old/x.yaml"]
    assert admit([folder("snippets"), *map(file, [*read, *others])]) == read
    assert [path for path in others if is_read(path)] == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (TreeEntry(b"phases.yaml", EntryKind.LINK, 1), "phases.yaml: a symbolic link; put the file itself here"),
        (TreeEntry(b"lib", EntryKind.SUBMODULE, 0), "lib: a submodule; put the files themselves here"),
        (TreeEntry(b"pipe", EntryKind.OTHER, 0), "pipe: not a regular file; remove it"),
        (file("docs/../x"), "docs/../x: a path that is not allowed; rename it"),
        (file("a/.git/config"), "a/.git/config: a path that is not allowed; rename it"),
        (file("a//b"), "a//b: a path that is not allowed; rename it"),
        (file(""), ".: a path that is not allowed; rename it"),
        (file("a" * 251), f"{'a' * 250}: a path that is not allowed; rename it"),
        (file("a\nb"), "a\\x0ab: a name with unprintable characters, or not in UTF-8; rename it"),
        (file(b"a\xff"), "a\\xff: a name with unprintable characters, or not in UTF-8; rename it"),
        (folder("docs", 8 * MIB + 1), "docs: a folder with too many files; keep other things elsewhere"),
        (file("phases.yaml", MIB + 1), f"phases.yaml: 1,048,577 bytes, more than 1,048,576; {_LARGE}"),
        (file("devices.yaml", 8 * MIB + 1), f"devices.yaml: 8,388,609 bytes, more than 8,388,608; {_LARGE}"),
        (file("old/x.yaml", 4 * MIB + 1), f"old/x.yaml: 4,194,305 bytes, more than 4,194,304; {_LARGE}"),
    ],
)
def test_an_entry_that_is_not_plainly_a_file_is_refused(entry: TreeEntry, problem: str) -> None:
    assert refused(entry) == [problem]


def test_files_may_be_as_large_as_they_may_be() -> None:
    largest = {
        "phases.yaml": MIB,
        "devices.yaml": 8 * MIB,
        "snippets/all-all-all.txt": 4 * MIB,
        "scripting.py": LARGEST_SCRIPTING,
    }
    assert admit(file(path, size) for path, size in largest.items()) == [*largest]


def test_computed_lines_are_of_moderate_size() -> None:
    assert refused(file("scripting.py", LARGEST_SCRIPTING + 1)) == [
        f"scripting.py: 262,145 bytes, more than 262,144; {_LARGE}"
    ]


def test_a_name_that_is_there_twice_is_refused_for_programs_differ_in_which_they_take() -> None:
    assert refused(file("phases.yaml"), file("phases.yaml")) == [
        "phases.yaml: a name that is there twice; write the folder anew: check it out, and commit it again"
    ]


def test_a_tree_that_is_too_large_in_all_is_refused_as_far_as_it_is_read() -> None:
    paths = [f"snippets/all-all-{number}.txt" for number in range(33)]
    assert len(admit(file(path, 4 * MIB) for path in paths[:32])) == 32
    assert refused(*(file(path, 4 * MIB) for path in paths)) == [
        ".: more than 128 MiB in all; keep other things elsewhere"
    ]
    assert admit(file(path.replace("snippets", "docs"), 4 * MIB) for path in paths) == []


def test_no_entry_is_looked_at_once_there_are_too_many() -> None:
    entries = iter([file(f"docs/{number}") for number in range(intake.MOST_FILES + 2)])
    with pytest.raises(InvalidConfiguration, match="more than 20,000 files and folders; keep other things elsewhere"):
        admit(entries)
    assert len(list(entries)) == 1


def test_no_entry_is_looked_at_once_there_are_too_many_problems() -> None:
    entries = iter([TreeEntry(b"%d" % number, EntryKind.LINK, 1) for number in range(1000)])
    with pytest.raises(InvalidConfiguration) as caught:
        admit(entries)
    assert len(caught.value.problems) == 101
    assert len(list(entries)) == 1000 - 101


def test_a_folder_that_is_refused_is_not_entered() -> None:
    assert is_entered(folder("snippets/deep", 8 * MIB))
    assert not is_entered(folder("snippets", 8 * MIB + 1))
    assert not is_entered(folder("a" * 251))
    assert not is_entered(folder("vendor/.git"))
