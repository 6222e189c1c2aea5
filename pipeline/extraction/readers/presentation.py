"""PowerPoint presentations slide by slide, in the order of the show. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, paged
from pipeline.extraction.formats import Format
from pipeline.extraction.readers import kreuzberg_call, slides
from pipeline.extraction.readers.slides import Slide


class PresentationReader:
    """Each slide as a page of Markdown, with its speaker's notes."""

    name = "presentation"
    version = 1
    libraries = kreuzberg_call.LIBRARIES

    def read(self, data: bytes, detected: Format) -> Content:
        text, metadata = kreuzberg_call.extract(data, detected, output="markdown", page_marks=True)
        numbers, bodies = kreuzberg_call.split_pages(text)
        bodies = [markdown.readable(body) for body in bodies]
        warnings: tuple[str, ...] = ()
        try:
            numbers, bodies = _in_order_of_show(slides.read(data), numbers, bodies)
        except slides.SlidesUnreadable as error:
            warnings = (f"The speaker's notes and the order of the slides cannot be read: {error}",)
        title = kreuzberg_call.title(metadata)
        return paged(numbers, bodies, title=title, markdown=True, warnings=warnings)


def _in_order_of_show(
    shown: list[Slide], numbers: list[int], bodies: list[str]
) -> tuple[list[int], list[str]]:
    """Numbers and texts of the slides in the order of the show, each with its speaker's notes."""
    if len(shown) != len(bodies):
        return numbers, bodies
    texts = {}
    for slide, body in zip(shown, bodies, strict=True):
        notes = f"Speaker notes: {markdown.literal(slide.notes)}" if slide.notes else ""
        texts[slide.number] = f"{body}\n\n{notes}".strip()
    order = sorted(texts)
    return order, [texts[number] for number in order]
