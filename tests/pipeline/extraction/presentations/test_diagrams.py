"""Visio drawings and XMind maps."""

from __future__ import annotations

import pytest
from support.diagrams import old_xmind, visio, xmind

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.formats import detect


def _read(data: bytes, suffix: str) -> Content:
    found = detect(data, suffix)
    return READERS[found.mime].read(data, found)


def test_pages_of_visio_with_texts_and_data_of_their_shapes() -> None:
    inner = (
        '<Shapes><Shape ID="2"><Text><cp IX="0"/>Crane <cp IX="1"/>service\nnorth\n</Text></Shape></Shapes>'
    )
    data = (
        '<Section N="Property"><Row N="Row_1"><Cell N="Value" V="Ana"/><Cell N="Label" V="Owner"/></Row>'
        '<Row N="Cost"><Cell N="Value" V=""/></Row></Section>'
    )
    content = _read(visio([("Overview", f'<Shape ID="1">{data}{inner}</Shape>'), ("Quay", "Rope")]), ".zip")
    assert content.text == "## Overview\n\nOwner: Ana\n\nCrane service\nnorth\n\n## Quay\n\nRope"
    assert [number for number, _ in content.pages] == [1, 2]


@pytest.mark.parametrize(
    "data",
    [
        xmind(
            {
                "title": "Harbour",
                "children": {
                    "attached": [
                        {
                            "title": "Crane\nnorth",
                            "notes": {"plain": {"content": "A note"}},
                            "labels": ["urgent"],
                            "children": {"attached": [{"title": "Rope"}]},
                        }
                    ],
                    "detached": [{"title": "Free"}],
                },
            }
        ),
        old_xmind(
            "<topic><title>Harbour</title><children><topics type='attached'><topic><title>Crane north</title>"
            "<notes><plain>A note</plain><html><p>A note</p></html></notes><labels><label>urgent</label></labels>"
            "<children><topics type='attached'><topic><title>Rope</title></topic></topics></children></topic></topics>"
            "<topics type='detached'><topic><title>Free</title></topic></topics></children></topic>"
        ),
    ],
)
def test_topics_of_xmind_are_an_outline(data: bytes) -> None:
    content = _read(data, ".xmind")
    assert content.title == "Harbour"
    assert content.text == "# Harbour\n\n- Crane north\n  A note\n  urgent\n  - Rope\n- Free"


def test_names_that_visio_gives_are_no_titles() -> None:
    content = _read(visio([("Page-1", "Rope"), ("Phase-2", "Crane")]), ".vsdx")
    assert (content.title, content.text) == (None, "Rope\n\n## Phase-2\n\nCrane")


def test_deep_and_damaged_maps() -> None:
    topic: dict[str, object] = {"title": "deepest"}
    for _ in range(300):
        topic = {"title": "x", "children": {"attached": [topic]}}
    assert "deepest" not in _read(xmind(topic), ".xmind").text
    assert _read(xmind({}), ".xmind").title is None
    with pytest.raises(ExtractError):
        _read(old_xmind("<topic>"), ".xmind")
