"""HTML pages as Markdown. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import html
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset


class HtmlReader:
    """What a person sees of a page, without the navigation of its site."""

    def read(self, data: bytes, detected: Format) -> Content:
        page = html.html_to_markdown(charset.decode(data))
        return Content(
            page.text,
            page.title,
            markdown=True,
            warnings=page.warnings,
            author=page.author,
            date=page.date,
            tags=page.tags,
            authors=page.authors,
        )
