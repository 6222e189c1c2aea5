"""DocBook documents as Markdown. Runs in the worker processes."""

from __future__ import annotations

import re

from pipeline.extraction import html
from pipeline.extraction.content import Content
from pipeline.extraction.docbook.rewriter import DocBook
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset
from semantik.core.metadata import clean_authors, clean_tags

_INFO = re.compile(r"<(?:\w+:)?\w*info\b.*?</(?:\w+:)?\w*info\s*>", re.DOTALL)
_PERSON = re.compile(r"<(?:\w+:)?(author)\b[^>]*>(.*?)</(?:\w+:)?\1\s*>", re.DOTALL)
_NAME = re.compile(r"<(?:\w+:)?(?:firstname|surname|othername|personname|orgname)\b[^>]*>([^<]+)(?=<)")
_KEYWORD = re.compile(r"<(?:\w+:)?keyword\b[^>]*>([^<]+)<")
_DATE = re.compile(r"<(?:\w+:)?(?:pubdate|date)\b[^>]*>\s*(\d{4}(?:-\d\d(?:-\d\d)?)?)\s*<")


class DocBookReader:
    """Sections with their titles as headings; footnotes stand at the end of their section."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = charset.decode(data)
        rewriter = DocBook(source)
        page = html.html_to_markdown(rewriter.rewrite(source), xml=False, keep_navigation=True)
        warnings = []
        if (count := rewriter.included) == 1:
            warnings.append("1 file that it includes is not read with it.")
        elif count:
            warnings.append(f"{count} files that it includes are not read with it.")
        if rewriter.by_name:
            warnings.append("Words that other files define are read as their short names.")
        found = _INFO.search(source, 0, 20_000)
        info = found[0] if found else ""
        people = [" ".join(" ".join(_NAME.findall(person)).split()) for _, person in _PERSON.findall(info)]
        date = _DATE.search(info)
        return Content(
            page.text,
            page.title,
            markdown=True,
            warnings=tuple(warnings),
            author=", ".join(dict.fromkeys(filter(None, people))) or None,
            date=date[1] if date else None,
            authors=clean_authors(people),
            tags=clean_tags(_KEYWORD.findall(info)),
        )
