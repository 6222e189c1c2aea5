"""The HTML bodies of messages: their charset, and their text. Runs in the worker processes."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pipeline.extraction import charsets, encoding

_META = re.compile(rb"(?i)<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]+)")
_DECLARED_WITHIN = 8192  # bytes from the beginning of a page


def decode(data: bytes, declared: str | None, others: tuple[str | None, ...] = ()) -> str:
    """The source of a page: in the charset of its header field, else of its <meta>, else in one that fits."""
    head = data[:_DECLARED_WITHIN]
    found = _META.search(head) or _META.search(head.replace(b"\0", b""))
    meta = found[1].decode("ascii", "replace").lower() if found else None
    if meta in ("utf-16", "utf-16le", "utf-16be", "unicode") and encoding.encoding_of_mark(data) is None:
        meta = None if b"\0" not in head else meta  # Word writes it into pages that were converted since
    if charsets.codec_names(declared):
        return charsets.decode(data, declared, (meta, *others))
    return charsets.decode(data, meta, others)


class _Text(HTMLParser):
    _BLOCKS = frozenset(
        [
            "p",
            "div",
            "br",
            "li",
            "tr",
            "table",
            "ul",
            "ol",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "blockquote",
            "pre",
            "hr",
            "dt",
            "dd",
        ]
    )

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "script", "title")
        self.pieces.append("\n" if tag in self._BLOCKS else " " if tag in ("td", "th") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "title")
        self.pieces.append("\n" if tag in self._BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if self._hidden <= 0:
            self.pieces.append(data)


def page_markdown(page: str) -> str:
    """The text of a page."""
    reading = _Text()
    reading.feed(page)
    lines = (" ".join(line.split()) for line in "".join(reading.pieces).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
