"""PDF documents page by page. Runs in the worker processes."""

from __future__ import annotations

import re
from collections import Counter

from pipeline.extraction.content import Content, paged
from pipeline.extraction.formats import Format
from pipeline.extraction.readers import kreuzberg_call


class PdfReader:
    """Each page as plain text: as Markdown, kreuzberg loses and changes characters of a PDF."""

    name = "pdf"
    version = 1
    libraries = kreuzberg_call.LIBRARIES

    def read(self, data: bytes, detected: Format) -> Content:
        text, metadata = kreuzberg_call.extract(data, detected, output="plain", page_marks=True)
        numbers, bodies = kreuzberg_call.split_pages(text.replace("\r\n", "\n"))
        bodies = _without_running_lines([body.strip().split("\n") for body in bodies])
        return paged(numbers, bodies, title=kreuzberg_call.title(metadata), markdown=False)


def _without_running_lines(pages: list[list[str]]) -> list[str]:
    """Pages without the header and footer that more than a third of them share, page numbers aside."""
    for place in (0, -1):
        lines = [re.sub(r"\d+", "#", page[place].strip()) if page else "" for page in pages]
        repeated = {line for line, times in Counter(lines).items() if line and times > max(2, len(pages) / 3)}
        for page, line in zip(pages, lines, strict=True):
            if line in repeated:
                del page[place]
    return ["\n".join(page).strip() for page in pages]
