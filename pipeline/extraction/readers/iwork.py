"""Documents of Apple's Pages, Numbers and Keynote, of the versions since 2013. Runs in the worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, ExtractError, paged
from pipeline.extraction.formats import Format
from pipeline.extraction.iwork.messages import Message
from pipeline.extraction.iwork.objects import Objects
from pipeline.extraction.iwork.texts import Texts
from pipeline.extraction.presentations.slide import MAX_SLIDES
from pipeline.extraction.table_text import line
from pipeline.extraction.zip_package import ZipPackage

_ROOT, _SHOW_OR_SHEET, _PAGES_ROOT, _SECTION = 1, 2, 10000, 10011
_MAX_DEPTH = 50  # levels of slides below others


class IWorkReader:
    """A text with its notes, tables and text boxes; sheets below their names; slides as pages."""

    def read(self, data: bytes, detected: Format) -> Content:
        objects = Objects(ZipPackage(data))
        try:
            return _content(objects)
        except (IndexError, ValueError) as error:
            raise ExtractError("corrupt", "This is an iWork document that is damaged.") from error


def _content(objects: Objects) -> Content:
    texts = Texts(objects)
    if roots := objects.of_kind(_PAGES_ROOT):
        text = "\n\n".join([*_pages(objects, texts, objects[roots[0]]), *texts.comments()])
        return Content(text, markdown.title(text), markdown=True)
    roots = objects.of_kind(_ROOT)
    if not roots:
        raise ExtractError("corrupt", "This is an iWork document that has lost its main part.")
    root = objects[roots[0]]
    shows = [each for each in root.references(2) if objects.kind(each) == _SHOW_OR_SHEET]
    if shows:
        return _presentation(objects, texts, objects[shows[0]])
    return Content("\n\n".join([*_sheets(objects, texts, root), *texts.comments()]), markdown=True)


def _pages(objects: Objects, texts: Texts, root: Message) -> Iterator[str]:
    """The headers, the text, what stands on the pages over it, and the footers."""
    masters = [
        objects[master]
        for section in objects.of_kind(_SECTION)
        for field in (23, 24, 25)
        for master in objects[section].references(field)
    ]
    yield from _running(texts, masters, 1)
    for body in root.references(4):
        yield from texts.storage(body)
    for floating in root.references(3):
        for page in objects[floating].messages(1):
            entries = [entry for field in (2, 3, 4) for entry in page.messages(field)]
            for drawable in (each for entry in entries for each in entry.references(1)):
                yield from texts.drawable(drawable)
    yield from _running(texts, masters, 2)


def _running(texts: Texts, masters: list[Message], field: int) -> Iterator[str]:
    """The headers or the footers, each different one once."""
    shown = (text for master in masters for each in master.references(field) for text in texts.storage(each))
    yield from dict.fromkeys(shown)


def _sheets(objects: Objects, texts: Texts, root: Message) -> Iterator[str]:
    for sheet in (objects[each] for each in root.references(1)):
        yield f"# {line(sheet.text(1))}"
        for drawable in sheet.references(2):
            yield from texts.drawable(drawable)


def _presentation(objects: Objects, texts: Texts, show: Message) -> Content:
    tree = show.message(3)
    nodes = tree.references(2) or [
        child for root in tree.references(1) for child in objects[root].references(1)
    ]
    bodies = list(islice(_slides(objects, texts, nodes, set()), MAX_SLIDES))
    if comments := list(texts.comments()):
        bodies[-1:] = ["\n\n".join([*bodies[-1:], *comments])]
    first = bodies[0].partition("\n")[0] if bodies else ""
    title = first.removeprefix("## ") if first.startswith("## ") else None
    return paged(range(1, len(bodies) + 1), bodies, title=title, markdown=True)


def _slides(
    objects: Objects, texts: Texts, nodes: list[int], seen: set[int], depth: int = 0
) -> Iterator[str]:
    """The slides in the order of the show, those below others behind them, each once."""
    for place in nodes:
        if place in seen:
            continue
        seen.add(place)
        node = objects[place]
        for number in node.references(2):
            yield "\n\n".join(_slide(objects, texts, objects[number], bool(node.number(4))))
        if depth < _MAX_DEPTH:
            yield from _slides(objects, texts, node.references(1), seen, depth + 1)


def _slide(objects: Objects, texts: Texts, slide: Message, hidden: bool) -> Iterator[str]:
    title = [text.lstrip("# ") for each in slide.references(5) for text in texts.drawable(each)]
    if title:
        yield f"## {line(' '.join(title))}"
    if hidden:
        yield "(This slide is hidden in the show.)"
    numbers = slide.references(20)
    for drawable in [
        *slide.references(6),
        *slide.references(30),
        *slide.references(42),
        *slide.references(7),
    ]:
        if drawable not in numbers:
            yield from texts.drawable(drawable)
    for note in (objects[each] for each in slide.references(27)):
        if text := "\n\n".join(part for each in note.references(1) for part in texts.storage(each)):
            yield f"Speaker notes: {text}"
