"""PowerPoint presentations (PPTX and its relatives) slide by slide, with notes and comments. Pure; in the workers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.opc import P, Package, R
from pipeline.extraction.presentations import pptx_shapes, slide
from pipeline.extraction.presentations.slide import MAX_SLIDES, Box, Slide

_MODERN = "{http://schemas.microsoft.com/office/powerpoint/2018/8/main}"
_SECTIONS = "{http://schemas.microsoft.com/office/powerpoint/2010/main}"
_UNNAMED_SECTIONS = {"default section", "standardabschnitt", "section par défaut"}


class _Presentation:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._main = package.main()
        self._root = package.xml(self._main)
        self._authors = dict(_authors(package, self._main))
        self._places: dict[str, dict[tuple[str, str], Box]] = {}
        self._running: set[str] = set()
        self.warnings: list[str] = []

    def slides(self) -> list[Slide]:
        """The slides in the order of the show; those that it does not list come last."""
        relations = self._package.relations(self._main)
        sections = self._sections()
        listed = [(node.get(f"{R}id", ""), node.get("id", "")) for node in self._root.iter(f"{P}sldId")]
        shown = [(relations[key].target, number) for key, number in listed if key in relations]
        names = {part for part, _ in shown}
        shown += [(part, "") for part in self._package.related(self._main, "slide") if part not in names]
        if len(shown) > MAX_SLIDES:
            self.warnings.append(f"Only the first {MAX_SLIDES:,} of {len(shown):,} slides are read.")
        slides = []
        for number, (part, slide_id) in enumerate(shown[:MAX_SLIDES], 1):
            try:
                found = self._slide(part, number)
            except ExtractError as error:
                self.warnings.append(f"Slide {number} is not read: {error.message}")
                found = Slide()
            found.section = sections.get(slide_id, "")
            slides.append(found)
        if slides and len(self.warnings) >= len(slides) and not any(each.text() for each in slides):
            raise ExtractError("corrupt", "This is a PowerPoint presentation whose slides are damaged.")
        return slides

    def _slide(self, part: str, number: int) -> Slide:
        root = self._package.xml(part)
        found = pptx_shapes.read(self._package, part, root, self._layout(part))
        shapes = list(found.shapes)
        for text in found.running:
            if text and text not in self._running:
                self._running.add(text)
                shapes.append(slide.Shape(text))
        self.warnings += [f"Slide {number}: {warning}" for warning in found.warnings]
        comments: list[str] = []
        for kind in ("comments", "legacyComments"):
            for each in self._package.related(part, kind):
                with contextlib.suppress(ExtractError):
                    comments += self._comments(self._package.xml(each))
        hidden = root.get("show") in ("0", "false")
        return Slide(found.title, shapes, self._notes(part, number), comments, hidden)

    def _layout(self, part: str) -> dict[tuple[str, str], Box]:
        for layout in self._package.related(part, "slideLayout"):
            if layout not in self._places:
                self._places[layout] = {}
                with contextlib.suppress(ExtractError):
                    self._places[layout] = pptx_shapes.layout_places(self._package.xml(layout))
            return self._places[layout]
        return {}

    def _notes(self, part: str, number: int) -> str:
        texts = []
        for notes in self._package.related(part, "notesSlide"):
            try:
                found = pptx_shapes.notes(self._package.xml(notes))
            except ExtractError as error:
                self.warnings.append(f"The speaker's notes of slide {number} are not read: {error.message}")
            else:
                texts.append(found)
        return "\n\n".join(text for text in texts if text)

    def _comments(self, root: Element) -> Iterator[str]:
        for node in root.iter():
            if node.tag == f"{P}cm":
                yield self._comment("Comment", node, node.findtext(f"{P}text") or "")
            elif node.tag in (f"{_MODERN}cm", f"{_MODERN}reply"):
                body = node.find(f"{_MODERN}txBody")
                kind = "Reply" if node.tag.endswith("reply") else "Comment"
                yield self._comment(kind, node, "" if body is None else pptx_shapes.plain(body))

    def _comment(self, kind: str, node: Element, text: str) -> str:
        author = self._authors.get(node.get("authorId", ""), "")
        words = " ".join(text.split())
        return f"{kind}{f' by {author}' if author else ''}: {words}" if words else ""

    def _sections(self) -> dict[str, str]:
        """The names of sections by the ids of their first slides."""
        found = {}
        for node in self._root.iter(f"{_SECTIONS}section"):
            name = " ".join(node.get("name", "").split())
            first = next(node.iter(f"{_SECTIONS}sldId"), None)
            if name and first is not None and name.lower() not in _UNNAMED_SECTIONS:
                found[first.get("id", "")] = name
        return found


def read(package: Package) -> Content:
    """The text of a presentation. Raises ExtractError."""
    presentation = _Presentation(package)
    return slide.content(presentation.slides(), package.properties(), presentation.warnings)


def _authors(package: Package, main: str) -> Iterator[tuple[str, str]]:
    """(id, name) of the people who comment, of both kinds of comments."""
    for kind in ("commentAuthors", "authors"):
        for part in package.related(main, kind):
            with contextlib.suppress(ExtractError):
                for node in package.xml(part):
                    yield node.get("id", ""), " ".join(node.get("name", "").split())
