"""The files of draw.io, also known as diagrams.net. Pure; runs in the worker processes."""

from __future__ import annotations

import base64
import urllib.parse
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import markdown
from pipeline.extraction.html.pieces import piece_to_markdown
from pipeline.extraction.xml_files.elements import MARKUP, name_of, one_line
from pipeline.extraction.xml_files.source import ParseError, parsed

_MAX_SOURCE = 20_000_000  # bytes that a packed page may become


def diagrams(root: Element) -> Iterator[str]:
    """The labels of each page below its name, in the order of the file."""
    pages = [each for each in root if name_of(each) == "diagram"]
    for page in pages:
        yield f"## {one_line(page.get('name', ''))}" if page.get("name") else ""
        yield from _labels(page if len(page) else _unpacked(page.text or ""))
    if not pages:
        yield from _labels(root)


def _labels(page: Element | None) -> Iterator[str]:
    for each in page.iter() if page is not None else ():
        for key in ("label", "value", "tooltip"):
            if (label := each.get(key, "")) and name_of(each) in ("mxCell", "object", "UserObject"):
                shown = piece_to_markdown(label) if MARKUP.search(label) or "&" in label else label.strip()
                yield markdown.demoted(markdown.demoted(shown))


def _unpacked(text: str) -> Element | None:
    """A page that was saved compressed; None where it cannot be read."""
    try:
        source = zlib.decompressobj(-15).decompress(base64.b64decode(text), _MAX_SOURCE)
        return parsed(urllib.parse.unquote(source.decode("utf-8")))
    except (ValueError, zlib.error, ParseError):
        return None
