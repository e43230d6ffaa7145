"""What of a tree is read at all, and what is refused before it is."""

from __future__ import annotations

import pytest

from gitupd.config.intake import LARGEST_SCRIPTING, EntryKind, TreeEntry, admit
from gitupd.errors import InvalidConfiguration


def test_computed_lines_are_of_moderate_size() -> None:
    assert admit([TreeEntry(b"scripting.py", EntryKind.FILE, LARGEST_SCRIPTING)]) == ["scripting.py"]
    with pytest.raises(InvalidConfiguration) as caught:
        admit([TreeEntry(b"scripting.py", EntryKind.FILE, LARGEST_SCRIPTING + 1)])
    assert str(caught.value) == ("scripting.py: 262,145 bytes, more than 262,144; this is no place for large files")
