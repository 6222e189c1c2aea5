"""HTML of any nesting depth keeps its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.extraction import html_nesting
from pipeline.extraction.extract import extract


@pytest.mark.parametrize("levels", [10, 60, 80, 3000])
@pytest.mark.parametrize("wrapper", ["div", "blockquote", "ul><li", "table><tr><td", "SPAN class='x'"])
def test_text_at_any_depth_is_extracted(tmp_path: Path, wrapper: str, levels: int) -> None:
    closing = "".join(f"</{tag.split(' ')[0]}>" for tag in reversed(wrapper.split("><")))
    page = tmp_path / "page.html"
    page.write_text(
        "<html><body><h1>Birds</h1><p>A first pelican.</p>"
        + f"<{wrapper}>" * levels
        + "<h2>Heron</h2><p>A heron in <i>deep</i> water.</p>"
        + closing * levels
        + "<p>A last gull.</p></body></html>"
    )
    text = extract(str(page), page.read_bytes(), 1 << 20).text
    plain = " ".join(text.replace("|", " ").replace("*", "").replace(">", " ").split())
    assert "A first pelican." in plain and "A last gull." in plain
    assert "A heron in deep water." in plain.replace("- ", "")


def test_html_of_ordinary_depth_is_unchanged() -> None:
    page = "<div><p>One<p>Two<br><img src='x'/></div>" * 500 + "<table><tr><td><ul><li>x</table>"
    assert html_nesting.flatten(page) == page
