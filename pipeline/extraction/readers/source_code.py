"""Source code as it is, with its functions and classes as headings. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import encoding
from pipeline.extraction.code.outline import outline
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format


class SourceCodeReader:
    """A program's text, character by character; the MIME type names the language: "text/x-python"."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = encoding.decode(data)
        return Content(source, outline=outline(source, detected.mime.removeprefix("text/x-")))
