"""Repositories that nobody means well with: a clear refusal, in little time and 400 MiB of memory."""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from dulwich.pack import write_pack_index_v2

from gitupd.config.loader import load
from gitupd.errors import InvalidConfiguration, UnreadableRepository
from gitupd.store.git.repository import ConfigRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import Confined, Git

_GIB = 2**30
_MIB = 2**20
_PATH = b"snippets/all-all-all.txt"


def _zeros(head: bytes, size: int) -> tuple[bytes, str]:
    """Return *head* and so many MiB of zeros compressed, and the SHA-1 of both, without a gigabyte of memory."""
    block = bytes(_MIB)
    squeezer = zlib.compressobj(1)
    first = squeezer.compress(head) + squeezer.flush(zlib.Z_FULL_FLUSH)
    repeated = squeezer.compress(block) + squeezer.flush(zlib.Z_FULL_FLUSH)  # stands on its own: behind a full flush
    digest, adler = hashlib.sha1(head, usedforsecurity=False), zlib.adler32(head)
    for _ in range(size // _MIB):
        digest.update(block)
        adler = zlib.adler32(block, adler)
    end = zlib.compressobj(wbits=-15).flush() + struct.pack(">I", adler)
    return first + repeated * (size // _MIB) + end, digest.hexdigest()


def _header(kind: int, size: int) -> bytes:
    first, size = kind << 4 | size & 15, size >> 4
    header = []
    while size:
        header.append(first | 128)
        first, size = size & 127, size >> 7
    return bytes([*header, first])


def _varint(number: int) -> bytes:
    result = []
    while number > 127:
        result.append(number & 127 | 128)
        number >>= 7
    return bytes([*result, number])


def _distance(number: int) -> bytes:
    result = [number & 127]
    while number := number >> 7:
        number -= 1
        result.append(number & 127 | 128)
    return bytes(reversed(result))


def _pack(git: Git, entries: list[tuple[str, bytes]]) -> None:
    """Put a pack of raw entries beside the other objects."""
    content = b"PACK" + struct.pack(">II", 2, len(entries))
    index = []
    for found, entry in entries:
        index.append((bytes.fromhex(found), len(content), zlib.crc32(entry)))
        content += entry
    checksum = hashlib.sha1(content, usedforsecurity=False).digest()
    folder = git.path / "objects" / "pack"
    (folder / f"pack-{checksum.hex()}.pack").write_bytes(content + checksum)
    with (folder / f"pack-{checksum.hex()}.idx").open("wb") as file:
        write_pack_index_v2(file, sorted(index), checksum)


def _snippet_tree(git: Git, found: str) -> str:
    inner = git.tree(("100644", found, b"all-all-all.txt"))
    return git.tree(("40000", inner, b"snippets"))


def _delta(base_size: int, target_size: int, instructions: bytes) -> bytes:
    return _varint(base_size) + _varint(target_size) + instructions


def test_a_gigabyte_of_zeros(git: Git, confined: Confined) -> None:
    content, found = _zeros(f"blob {_GIB}\0".encode(), _GIB)
    git.loose(found).parent.mkdir()
    git.loose(found).write_bytes(content)
    git.commit(_snippet_tree(git, found))
    assert git("cat-file", "-s", found) == str(_GIB)
    expected = f"{_PATH.decode()}: 1,073,741,824 bytes, more than 4,194,304; this is no place for large files"
    assert confined.refusal(git.path) == expected


@pytest.mark.slow
def test_a_gigabyte_that_git_itself_stored(git: Git, confined: Confined, tmp_path: Path) -> None:
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(_GIB)
    found = git("-c", "core.compression=1", "hash-object", "-w", str(tmp_path / "zeros"))
    git.commit(_snippet_tree(git, found))
    assert "1,073,741,824 bytes, more than" in confined.refusal(git.path)


def test_a_gigabyte_as_the_difference_to_little(git: Git, confined: Confined) -> None:
    base, base_id = bytes(_MIB), git.blob(bytes(_MIB))
    git.loose(base_id).unlink()
    copy = bytes([0b11110000, 0, 0, 1])[:1] + bytes([0, 0, 1])  # 65536 bytes from the start
    delta = zlib.compress(_delta(_MIB, _GIB, copy * (_GIB // 65536)))
    target_id = "77" * 20
    whole = _header(3, _MIB) + zlib.compress(base)
    size = len(zlib.decompress(delta))
    _pack(git, [(base_id, whole), (target_id, _header(6, size) + _distance(len(whole)) + delta)])
    git.commit(_snippet_tree(git, target_id))
    assert "1,073,741,824 bytes, more than 4,194,304" in confined.refusal(git.path)


@pytest.mark.parametrize("kind", ["offset", "reference"])
def test_little_as_the_difference_to_a_gigabyte(git: Git, confined: Confined, kind: str) -> None:
    content, base_id = _zeros(b"", _GIB)
    whole = _header(3, _GIB) + content
    delta = _delta(_GIB, 5, bytes([5]) + b"hello")
    target_id = git.blob(b"hello")
    git.loose(target_id).unlink()
    if kind == "offset":
        entry = _header(6, len(delta)) + _distance(len(whole)) + zlib.compress(delta)
    else:
        entry = _header(7, len(delta)) + bytes.fromhex(base_id) + zlib.compress(delta)
    _pack(git, [(base_id, whole), (target_id, entry)])
    git.commit(_snippet_tree(git, target_id))
    assert f"{target_id} is stored as a difference to 1,073,741,824 bytes" in confined.refusal(git.path)


def test_a_difference_to_itself(git: Git, confined: Confined) -> None:
    target_id, delta = "77" * 20, _delta(5, 5, bytes([5]) + b"hello")
    entry = _header(7, len(delta)) + bytes.fromhex(target_id) + zlib.compress(delta)
    _pack(git, [(target_id, entry)])
    git.commit(_snippet_tree(git, target_id))
    assert "a difference to a difference, and so on without end" in confined.refusal(git.path)


def test_honest_differences_are_read(git: Git) -> None:
    lines = [b"config add X%d /y %d\n" % (number, number**7) for number in range(400)]
    versions = []
    for version in range(9):
        lines[version * 40 : version * 40 + 9] = [b"config add Y%d /z %d\n" % (version, each**9) for each in range(9)]
        versions.append(b"".join(lines))
    commits: list[str] = []
    for content in versions:
        commits.append(git.commit_files({_PATH.decode(): content}, *commits[-1:]))
    git("repack", "-adfq", "--depth=50", "--window=50")
    git("prune-packed")
    (index,) = (git.path / "objects" / "pack").glob("*.idx")
    assert re.search("chain length = [4-9]", git("verify-pack", "-v", str(index)))
    with ConfigRepository(git.path) as repository:
        read = [repository.files(repository.resolve(each))[_PATH.decode()] for each in commits]
    assert read == versions


@pytest.mark.slow
@pytest.mark.parametrize("folders", [False, True])
def test_a_hundred_thousand_entries(git: Git, confined: Confined, *, folders: bool) -> None:
    mode, kind = ("040000", "tree") if folders else ("100644", "blob")
    found = git("mktree") if folders else git.blob(b"")
    listed = "".join(f"{mode} {kind} {found}\tall-all-x{number}.txt\n" for number in range(100_000))
    git.commit(git.tree(("40000", git("mktree", stdin=listed.encode()), b"snippets")))
    assert "more than 20,000 files" in confined.refusal(git.path)


def test_a_tree_that_multiplies(git: Git, confined: Confined) -> None:
    found = git("mktree")
    for _ in range(12):
        found = git.tree(*(("40000", found, b"%x" % number) for number in range(16)))
    git.commit(found)
    assert "more than 20,000 files" in confined.refusal(git.path)


def test_a_folder_whose_list_is_endless(git: Git, confined: Confined) -> None:
    blob = git.blob(b"")
    listed = "".join(f"100644 blob {blob}\t{number:0200}.txt\n" for number in range(40_000))
    large = git("mktree", stdin=listed.encode())
    git.commit(git.tree(("40000", large, b"snippets")))
    assert confined.refusal(git.path) == "snippets: a folder with too many files; keep other things elsewhere"
    git.commit(large)
    assert confined.refusal(git.path) == ".: a folder with too many files; keep other things elsewhere"


def test_ten_thousand_folders_in_each_other(git: Git, confined: Confined) -> None:
    stream = b"blob\nmark :1\ndata 2\nx\n\ncommit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\n"
    git("fast-import", "--quiet", stdin=stream + b"M 100644 :1 " + b"a/" * 10_000 + b"x\n\n")
    text = confined.refusal(git.path)
    assert text.endswith("a/: a path that is not allowed; rename it")
    assert len(text.splitlines()) == 1


NAMES = {
    b"snippets/..": "snippets/..: a path that is not allowed; rename it",
    b"../x": "..: a path that is not allowed; rename it\n../x: a path that is not allowed; rename it",
    b".git": ".git: a path that is not allowed; rename it",
    b"snippets/.git/config": "snippets/.git: a path that is not allowed; rename it",
    b"a\nb": "a\\x0ab: a name with unprintable characters, or not in UTF-8; rename it",
    b"a\x1b[2Jb": "a\\x1b[2Jb: a name with unprintable characters, or not in UTF-8; rename it",
    b"\xff\xfe": "\\xff\\xfe: a name with unprintable characters, or not in UTF-8; rename it",
    "a\u202eb".encode(): "a\\x202eb: a name with unprintable characters, or not in UTF-8; rename it",
    b"x" * 300: f"{'x' * 250}: a path that is not allowed; rename it",
    b"": ".: a path that is not allowed; rename it",
}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:20])
def test_a_name(git: Git, name: bytes) -> None:
    found, mode = git.blob(b""), "100644"
    for part in reversed(name.split(b"/")):
        found, mode = git.tree((mode, found, part)), "40000"
    git.commit(found)
    with ConfigRepository(git.path) as repository, pytest.raises(InvalidConfiguration) as caught:
        repository.files(repository.resolve("main"))
    assert str(caught.value) == NAMES[name]


@pytest.mark.parametrize(
    ("mode", "refusal"),
    [
        ("120000", "a symbolic link; put the file itself here"),
        ("160000", "a submodule; put the files themselves here"),
        ("010000", "not a regular file; remove it"),
    ],
)
def test_what_is_no_file(git: Git, mode: str, refusal: str) -> None:
    target = "ab" * 20 if mode == "160000" else git.blob(b"../../../etc/passwd")
    git.commit(git.tree((mode, target, b"snippets")))
    with ConfigRepository(git.path) as repository, pytest.raises(InvalidConfiguration, match=f"^snippets: {refusal}$"):
        repository.files(repository.resolve("main"))


def test_a_file_that_is_a_commit(git: Git) -> None:
    commit = git.commit(git("mktree"))
    git.commit(_snippet_tree(git, commit))
    with ConfigRepository(git.path) as repository, pytest.raises(UnreadableRepository, match=f"{commit} is no file"):
        repository.files(repository.resolve("main"))


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b", ".join([b"*%c" % (letter - 1)] * 9)) for letter in range(98, 123)
)
YAML = {
    "aliases": BOMB,
    "an alias to itself": b"phases: &a {x: *a}\n",
    "deep lists": b"[" * 500_000,
    "deep mappings": b"{a: " * 200_000,
    "deep blocks": b"- " * 500_000,
    "long": b"- x\n" * 250_000,
    "many keys": b"".join(b"k%d: 1\n" % number for number in range(90_000)),
    "many names": b"environments:\n" + b"".join(b"  e%d: {}\n  E%d: {}\n" % (each, each) for each in range(30_000)),
    "many unknown names": b"environments:\n"
    + b"".join(b"  e%d: {implies: [x%d]}\n" % (each, each) for each in range(25_000)),
    "a long key": b"? " + b"x" * 900_000 + b"\n: 1\n",
    "a long value": b"expansion: " + b"x" * 900_000,
    "one key again and again": b"a: 1\n" * 150_000,
    "nothing but quotes": b"'" * 900_000,
}


@pytest.mark.parametrize("name", YAML)
def test_yaml(git: Git, confined: Confined, name: str) -> None:
    git.commit_files({"environments.yaml": YAML[name]})
    assert confined.refusal(git.path, within=15).startswith("environments.yaml")


@pytest.mark.slow
def test_names_by_the_thousand_that_are_nearly_right(git: Git, confined: Confined) -> None:
    environments = b"".join(b"  environment%d: {}\n" % number for number in range(900))
    blob, documents = git.blob(b"x\n"), git.blob(b"environments:\n" + environments)
    listed = "".join(f"100644 blob {blob}\tall-phon{number}-environmet{number}.txt\n" for number in range(9_000))
    snippets = git("mktree", stdin=listed.encode())
    git.commit(git.tree(("100644", documents, b"environments.yaml"), ("40000", snippets, b"snippets")))
    text = confined.refusal(git.path, within=20)
    assert len(text.splitlines()) == 18_000
    assert "did you mean 'environment" in text


# What is missing or damaged

_FILES: Mapping[str, bytes] = {
    "phases.yaml": b"phases: {update: {order: 1}}\n",
    "snippets/all-all-all.txt": b"config add X /y z\n",
    "snippets/update-phone-all.txt": b"config add X /a b\n" * 50,
}


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "garbage", "another's"])
@pytest.mark.parametrize("what", ["main", "main^{tree}", "main:snippets", "main:phases.yaml"])
def test_a_damaged_object(git: Git, what: str, damage: str) -> None:
    git.commit_files(_FILES)
    path, other = git.loose(git("rev-parse", what)), git.loose(git.blob(b"phases: {other: {order: 1}}\n"))
    content = path.read_bytes()
    path.unlink()
    damaged = {"empty": b"", "truncated": content[:-8], "garbage": b"garbage" * 9, "another's": other.read_bytes()}
    if damage in damaged:
        path.write_bytes(damaged[damage])
    with ConfigRepository(git.path) as repository, pytest.raises(UnreadableRepository):
        repository.files(repository.resolve("main"))


# dulwich can't close what it stumbled over, and says so when it is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("ending", ["pack", "idx"])
def test_a_damaged_pack(git: Git, ending: str) -> None:
    """Whatever byte of a pack is damaged, the files are read as they were, or refused."""
    git.commit_files(_FILES)
    git("repack", "-adq")
    (path,) = (git.path / "objects" / "pack").glob(f"*.{ending}")
    content = path.read_bytes()
    path.chmod(0o600)
    cut = [content[:size] for size in (0, 1, 4, 8, 12, 20, 40, len(content) // 2, len(content) - 30)]
    flipped = [content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :] for at in range(0, len(content), 3)]
    refused = 0
    for damaged in (*cut, *flipped):
        path.write_bytes(damaged)
        try:
            with ConfigRepository(git.path) as repository:
                files = repository.files(repository.resolve("main"))
        except UnreadableRepository:
            refused += 1
        else:
            assert files == _FILES
    assert refused > len(cut)


def test_no_repository(tmp_path: Path, git: Git) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UnreadableRepository, match="is no Git repository"):
            ConfigRepository(path)
    (git.path / "HEAD").unlink()
    with pytest.raises(UnreadableRepository):
        ConfigRepository(git.path).resolve("main")


def test_a_repository_of_another_kind(tmp_path: Path, git: Git) -> None:
    git("init", "-q", "--bare", "--object-format=sha256", str(tmp_path / "other.git"))
    with pytest.raises(UnreadableRepository, match="names its objects by SHA-256"):
        ConfigRepository(tmp_path / "other.git")


def test_a_repository_that_is_packed_while_it_is_open(git: Git) -> None:
    commit = git.commit_files(_FILES)
    with ConfigRepository(git.path) as repository:
        known = repository.resolve("main")
        for options in ("-adq", "-adqf"):
            assert repository.files(known) == _FILES
            git.commit_files({**_FILES, "README.md": options.encode()}, commit)
            git("repack", options)
            git("prune-packed")
        assert repository.files(known) == _FILES


def test_a_repository_that_borrows_its_objects(git: Git, tmp_path: Path) -> None:
    git.commit_files(_FILES)
    git("clone", "-q", "--shared", "--bare", str(git.path), str(tmp_path / "borrower.git"))
    with ConfigRepository(tmp_path / "borrower.git") as repository:
        assert load(repository.files(repository.resolve("main"))).policy.phases == ("update",)
    shutil.rmtree(git.path)
    with ConfigRepository(tmp_path / "borrower.git") as repository, pytest.raises(UnreadableRepository):
        repository.files(repository.resolve("main"))
