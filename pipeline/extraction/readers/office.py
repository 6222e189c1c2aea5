"""Office documents, workbooks, e-books and other formats that kreuzberg reads well. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import markdown
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.readers import kreuzberg_call


class OfficeReader:
    """A document without pages, as Markdown."""

    name = "office"
    version = 1
    libraries = kreuzberg_call.LIBRARIES

    def read(self, data: bytes, detected: Format) -> Content:
        text, metadata = kreuzberg_call.extract(data, detected, output="markdown")
        text = markdown.readable(text)
        return Content(text, kreuzberg_call.title(metadata) or markdown.title(text), markdown=True)
