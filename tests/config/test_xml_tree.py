"""XML that nobody trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree

from gitupd.config.xml_tree import xml_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_elements_and_texts_are_there_and_comments_only_if_asked_for() -> None:
    content = b"<?xml version='1.0'?><a x='1'><!-- c --><?p i?><b>t</b></a>"
    assert etree.tostring(xml_tree(content)) == b'<a x="1"><b>t</b></a>'
    assert etree.tostring(xml_tree(content, comments=True)) == b'<a x="1"><!-- c --><b>t</b></a>'


def test_an_entity_stays_a_reference_and_no_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden")
    declared = f'<!DOCTYPE a [<!ENTITY f SYSTEM "{(tmp_path / "secret").as_uri()}"><!ENTITY g "expanded">]>'
    sent = etree.tostring(xml_tree(f"{declared}<a>&f;&g;</a>".encode()))
    assert sent.endswith(b"<a>&f;&g;</a>")
    assert b"hidden" not in sent


@pytest.mark.parametrize("content", [b"", b"<a>", b"a", b"<a></b>", b"<a>" * 300 + b"</a>" * 300])
def test_what_is_no_xml_or_too_deep_is_refused(content: bytes) -> None:
    with pytest.raises(etree.XMLSyntaxError):
        xml_tree(content)
