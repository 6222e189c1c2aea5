"""XML within bounds: small parts at once, large ones block by block, with the same result."""

from __future__ import annotations

import pytest

from pipeline.extraction import bounded_xml
from pipeline.extraction.content import ExtractError

_SMALL = b"<a><head/><body><p>1</p><p>2<q/></p></body><tail/></a>"
_LARGE = b"<a><!--" + b"-x" * (2 << 20) + b"--><head/><body><p>1</p><p>2<q/></p></body><tail/></a>"


@pytest.mark.parametrize("data", [_SMALL, _LARGE])
def test_large_and_small_parts_give_the_same(data: bytes) -> None:
    assert [child.tag for child in bounded_xml.parse(data)] == ["head", "body", "tail"]
    found = [(block.tag, block.text, len(block)) for block in bounded_xml.blocks(data, "body")]
    assert found == [("p", "1", 0), ("p", "2", 1)]
    assert list(bounded_xml.blocks(data, "nothing")) == []
    assert [each.tag for each in bounded_xml.sections(data, {"head", "tail"}, stop="body")] == ["head"]


@pytest.mark.parametrize("padding", [b"", b"<!--" + b"-x" * (2 << 20) + b"-->"])
def test_entities_depth_and_damage_are_refused(padding: bytes) -> None:
    for data, category in [
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + padding + b"<a>&b;</a>", "corrupt"),
        (b"<a>" + padding + b"<b>" * 500 + b"</b>" * 500 + b"</a>", "too_large"),
        (b"<a>" + padding + b"<b></a>", "corrupt"),
        (b'<?xml version="1.0" encoding="nonsense"?>' + padding + b"<a/>", "corrupt"),
    ]:
        for read in (bounded_xml.parse, lambda each: list(bounded_xml.blocks(each, "none"))):
            with pytest.raises(ExtractError) as refused:
                read(data)
            assert refused.value.category == category
