"""HTML pages as Markdown. Runs in the worker processes."""

from __future__ import annotations

import re

from pipeline.extraction import html
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset

# What browsers export. The address of a bookmark is its content, and not shown in a browser.
_BOOKMARKS = "<!doctype netscape-bookmark-file"
_BOOKMARK = re.compile(r"<a\s[^<>]{0,200}?href=\"(https?:[^\"<>]{1,2000})\"[^<>]*>[^<>]*</a>", re.IGNORECASE)


class HtmlReader:
    """What a person sees of a page, without the navigation of its site."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = charset.decode(data)
        if source[:1000].lstrip("\ufeff \t\r\n").lower().startswith(_BOOKMARKS):
            source = _BOOKMARK.sub(r"\g<0> \1", source)
        page = html.html_to_markdown(source)
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
