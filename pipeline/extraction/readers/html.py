"""HTML pages as Markdown. Runs in the worker processes."""

from __future__ import annotations

import contextlib
import re

from pipeline.extraction import encoding, html_nesting, markdown
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.readers import kreuzberg_call

_CHARSET = re.compile(rb"(?i)(<meta[^>]{0,200})charset(?:\s*=\s*[\"']?([\w.:-]+))?")
_DECLARED_WITHIN = 4096  # bytes from the beginning of a page


class HtmlReader:
    """A page without its navigation, scripts and deep nesting."""

    name = "html"
    version = 1
    libraries = kreuzberg_call.LIBRARIES

    def read(self, data: bytes, detected: Format) -> Content:
        # In UTF-8 and without its own declaration, so that the encoding is decided in one place.
        page = _CHARSET.sub(rb"\1data-was", html_nesting.flatten(_decode(data)).encode())
        text, metadata = kreuzberg_call.extract(page, detected, output="markdown")
        text = markdown.readable(markdown.without_front_matter(text))
        return Content(text, kreuzberg_call.title(metadata) or markdown.title(text), markdown=True)


def _decode(data: bytes) -> str:
    """A page's text in the encoding that it declares, if that fits, else in the one that fits."""
    declared = _CHARSET.search(data[:_DECLARED_WITHIN])
    if declared and declared[2]:
        with contextlib.suppress(LookupError, UnicodeError):
            return data.decode(declared[2].decode())
    return encoding.decode(data)
