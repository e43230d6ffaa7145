"""Pages of commits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from support.visitors import RECENTLY, Visitor, answer, shown

if TYPE_CHECKING:
    from support.showcase import Scene


def test_what_a_commit_says_is_text_and_nothing_else(scene: Scene, viewer: Visitor) -> None:
    for path in (f"/commits/{scene.live}", "/deployments", "/configuration", "/preview?type=IP222"):
        page = viewer.get(path).text
        assert "<b>of</b>" not in page
        assert "<script>alert" not in page
    assert "And why: <script>alert(1)</script>" in shown(viewer.get(f"/commits/{scene.live}").text)


def test_a_commit_shows_what_it_changes(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get(f"/commits/{scene.head[:10]}").text
    assert "<h1>More for gateways</h1>" in page
    assert re.match(rf"Ada committed {scene.head[:8]} {RECENTLY}\. It was never deployed\.", answer(page))
    text = shown(page)
    assert f"Changes since its parent {scene.live[:8]}: 1 file, 2 lines added, 1 removed." in text
    assert "snippets/update-gw-all.txt changed +2" in text
    assert re.search(
        r'class="added"><th><a[^>]*>2</a></th><td class="sign">\+</td><td class="text">config write<', page
    )
    assert re.search(r'class="removed"><th><a[^>]*>1</a></th><td class="sign">-</td>', page)


def test_a_commit_compared_with_another(scene: Scene, viewer: Visitor) -> None:
    text = shown(viewer.get(f"/commits/main?against={scene.first}").text)
    assert f"Compared with {scene.first[:8]}: 6 files" in text
    assert "certificates/logo.bin added 3 bytes, not shown: no text, or too large." in text
