"""EPUB books as Markdown, chapter after chapter. Runs in the worker processes."""

from __future__ import annotations

import re

from pipeline.extraction import html, markdown
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.epub.package import Book, Chapter
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset

_MAX_CHAPTER = 50 << 20  # bytes
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_FEW = 300  # characters of a table of contents without its links


class EpubReader:
    """The chapters in reading order. A chapter without a heading gets its title in the table of contents as one."""

    def read(self, data: bytes, detected: Format) -> Content:
        book = Book(data)
        chapters = book.chapters()
        titles = book.titles()
        texts = []
        failed = 0
        for chapter in chapters:
            try:
                text = _chapter(book, chapter, len(chapters) > 1)
            except ExtractError:
                failed += 1
                continue
            if text:
                texts.append(_with_title(text, titles.get(chapter.part)))
        if failed and not texts:
            raise ExtractError("corrupt", f"This is {detected.name} whose chapters are damaged.")
        warnings = [*book.warnings, *([f"{failed} chapters of the book are damaged."] if failed else [])]
        text = "\n\n".join(texts)
        return Content(
            text,
            book.title or markdown.title(text),
            markdown=True,
            warnings=tuple(warnings),
            author=book.author,
            authors=book.authors,
            tags=book.tags,
            language=book.language,
            date=book.date,
        )


def _chapter(book: Book, chapter: Chapter, has_others: bool) -> str:
    page = charset.decode(book.zip.read(chapter.part, _MAX_CHAPTER))
    xml = not chapter.part.lower().endswith((".html", ".htm")) or None
    text = html.html_to_markdown(page, xml=xml, keep_navigation=not (chapter.is_nav and has_others)).text
    # The table of contents repeats the headings; its page is read only where it holds more than that.
    return "" if chapter.is_nav and has_others and len(text) < _FEW else text


def _with_title(text: str, title: str | None) -> str:
    if title is None or _HEADING.search(text):
        return text
    first, _, rest = text.partition("\n")
    if " ".join(first.split()).casefold() == title.casefold():
        return f"# {first}\n\n{rest.lstrip()}".strip()
    return f"# {title}\n\n{text}"
