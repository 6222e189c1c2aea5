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


class _P(HTMLParser):
    def __init__(self):
        super().__init__()
        self.o = []
        self.skip = 0

    def handle_starttag(self, t, a):
        if t in ("style", "script", "head"):
            self.skip += 1
        if t in ("td", "th"):
            self.o.append(" | ")
        if t in ("p", "div", "br", "li", "tr", "table", "ul", "h1", "h2"):
            self.o.append("\n")

    def handle_endtag(self, t):
        if t in ("style", "script", "head"):
            self.skip -= 1

    def handle_data(self, d):
        if not self.skip:
            self.o.append(d)


def page_markdown(page: str) -> str:
    p = _P()
    p.feed(page)
    return "".join(p.o).strip()
