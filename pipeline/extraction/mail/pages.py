"""The HTML bodies of messages: their charset, and their text. Runs in the worker processes."""

from __future__ import annotations

import re

from pipeline.extraction import charsets, encoding, html

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


def page_markdown(page: str) -> str:
    """The text of a page as Markdown. Messages belong to no site: nothing in them is its navigation."""
    return html.html_to_markdown(page, keep_navigation=True).text
