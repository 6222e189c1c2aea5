"""Plain text and Markdown, whose text is the file itself. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import encoding, markdown, terminal
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format


class TextReader:
    """Text in any encoding, character by character; what was sent to a terminal is what it shows."""

    name = "text"
    version = 2
    libraries = ()

    def read(self, data: bytes, detected: Format) -> Content:
        return Content(terminal.printed(encoding.decode(data)))


class MarkdownReader:
    """Markdown as it is in the file; the first heading of the first level is the title."""

    name = "markdown"
    version = 2
    libraries = ()

    def read(self, data: bytes, detected: Format) -> Content:
        text = encoding.decode(data)
        return Content(text, markdown.title(text), markdown=True)
