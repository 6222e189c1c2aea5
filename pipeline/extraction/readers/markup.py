"""Texts in markup languages as Markdown: man pages, reStructuredText and others. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import encoding
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format


class ManPageReader:
    """A man page; its title is like "ls(1)"."""

    name = "man-page"
    version = 1
    libraries = ()

    def read(self, data: bytes, detected: Format) -> Content:
        from pipeline.extraction.markup.man_page import ManPage

        page = ManPage(encoding.decode(data))
        return Content(page.text, page.title, markdown=True)
