"""What editors make of documents and their schemas, by the language server that most of them use for YAML."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitupd.resources import schema, schema_files, schema_names, template_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAM = Path(__file__).parents[1] / "browser/node_modules/.bin/yaml-language-server"
SECONDS = 300.0
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no yaml-language-server; run: cd tests/browser && npm ci")


class Editor:
    """Opens documents of a folder, and asks the language server about them."""

    def __init__(self, folder: Path, server: subprocess.Popen[bytes]) -> None:
        self._folder, self._server = folder, server
        self._number = 0
        uri = folder.as_uri()
        can = {"textDocument": {"completion": {"completionItem": {"documentationFormat": ["markdown"]}}}}
        folders = [{"uri": uri, "name": "work"}]
        who = {"processId": os.getpid(), "rootUri": uri, "workspaceFolders": folders, "capabilities": can}
        self._ask("initialize", who)
        self._send(method="initialized", params={})

    def open(self, path: str, text: str) -> list[tuple[int, str]]:
        """Return the lines that are marked, and why."""
        uri = (self._folder / path).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        while True:
            message = self._next()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                marks = message["params"]["diagnostics"]
                return [(mark["range"]["start"]["line"] + 1, mark["message"]) for mark in marks]

    def offered(self, path: str, line: int, column: int) -> dict[str, bool]:
        """Return the words that are offered at a place, and of each whether something is said of it."""
        place = {"line": line - 1, "character": column - 1}
        where = {"textDocument": {"uri": (self._folder / path).as_uri()}, "position": place}
        return {
            each["label"]: bool(each.get("documentation"))
            for each in self._ask("textDocument/completion", where)["items"]
        }

    def _ask(self, method: str, params: object) -> Any:
        self._number += 1
        self._send(id=self._number, method=method, params=params)
        while True:
            message = self._next()
            if message.get("id") == self._number and "method" not in message:
                return message["result"]

    def _send(self, **message: object) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._server.stdin.flush()

    def _next(self) -> dict[str, Any]:
        """Return what the server says next; what it asks is answered as by an editor without settings."""
        assert self._server.stdout is not None
        length = 0
        while line := self._server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        if "id" in message and "method" in message:
            items: Sequence[object] = (message.get("params") or {}).get("items", ())
            self._send(id=message["id"], result=[{} for _ in items] or None)
        return message


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor that has the configuration of a new site open."""
    folder = tmp_path_factory.mktemp("editor")
    for path, content in {**schema_files(), **template_files()}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    with subprocess.Popen([PROGRAM, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder) as server:
        patience = threading.Timer(SECONDS, server.kill)
        patience.start()
        yield Editor(folder, server)
        patience.cancel()
        server.kill()


DOCUMENTS = {path: content.decode() for path, content in template_files().items() if path.endswith(".yaml")}


def test_nothing_is_marked_in_the_template(editor: Editor) -> None:
    marked = {path: editor.open(path, text) for path, text in DOCUMENTS.items()}
    assert {path: marks for path, marks in marked.items() if marks} == {}


@pytest.mark.parametrize("name", schema_names())
def test_keys_are_offered_and_unknown_ones_marked(editor: Editor, name: str) -> None:
    path = f"odd/{name}.yaml"
    marked = editor.open(path, f"# yaml-language-server: $schema=../.schemas/{name}.json\nno_such_key: 1\n\n")
    assert (2, "Property no_such_key is not allowed.") in marked
    assert editor.offered(path, 3, 1) == dict.fromkeys(schema(name)["properties"], True)


def test_a_wrong_value_is_marked_and_the_right_ones_are_offered(editor: Editor) -> None:
    path = "policies/odd.yaml"
    text = "# yaml-language-server: $schema=../.schemas/admission.json\nunknown: welcome\nmost: many\n"
    assert [line for line, _ in editor.open(path, text)] == [2, 3]
    assert set(editor.offered(path, 2, 10)) == {"serve", "quarantine", "refuse"}
