"""Plain text, whose text is the file itself, and Markdown, whose text nearly is. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import data_uris, encoding, markdown, markdown_source, terminal
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.metadata.back_matter import without_back_matter
from pipeline.extraction.metadata.front_matter import front_matter
from pipeline.extraction.metadata.stated import Stated


class TextReader:
    """Text in any encoding, character by character; what was sent to a terminal is what it shows."""

    def read(self, data: bytes, detected: Format) -> Content:
        return Content(terminal.printed(encoding.decode(data)))


class MarkdownReader:
    """Markdown as it is in the file, apart from raw HTML, comments and pictures in it, which read as they are shown."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = data_uris.without_data_uris(Content(encoding.decode(data))).text
        source, stated = without_back_matter(source)
        text = markdown_source.as_seen(source)
        if stated == Stated():
            stated = front_matter(source)
        return Content(
            text,
            stated.title or markdown.title(text),
            markdown=True,
            author=", ".join(stated.authors) or None,
            date=stated.date,
            authors=stated.authors,
            tags=stated.tags,
            language=stated.language,
        )
