"""The package of an EPUB book: metadata, reading order, titles of its table of contents, encryption. Pure.

Knows nothing of what chapters hold; runs in the worker processes.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml
from pipeline.extraction.content import ExtractError
from pipeline.extraction.zip_package import ZipPackage
from semantik.core.metadata import clean_authors, clean_tags
from semantik.query import language_code

_CHAPTER_TYPES = (
    "application/xhtml+xml",
    "text/html",
    "application/x-dtbook+xml",
    "text/x-oeb1-document",
    "image/svg+xml",
)
_CHAPTER_NAME = re.compile(r"\.(?:x?html?|xml)\Z", re.IGNORECASE)
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
_MAX_CHAPTERS = 20_000
_MAX_XML = 20 << 20  # bytes of the package document and the table of contents
_PROTECTED = "This book is protected against copying (DRM), and its text cannot be read."


@dataclass(frozen=True)
class Chapter:
    """A content document. `part` is its name in the ZIP file; `is_nav` is the table of contents of EPUB 3."""

    part: str
    is_nav: bool = False


class Book:
    """One EPUB file."""

    def __init__(self, data: bytes) -> None:
        """Raises ExtractError for a file that is damaged or protected."""
        self.zip = ZipPackage(data)
        self._names = {_normal(name): name for name in self.zip.names}
        for name in self.zip.names:
            with contextlib.suppress(UnicodeError):  # a name in UTF-8 that is not marked as such
                self._names.setdefault(_normal(name.encode("cp437").decode()), name)
        self.warnings: list[str] = []
        self.title: str | None = None
        self.author: str | None = None
        self.authors: tuple[str, ...] = ()
        self.tags: tuple[str, ...] = ()
        self.language: str | None = None
        self.date: str | None = None
        self._opf = self._package_document()
        self._items: dict[str, Element] = {}
        if self._opf is not None:
            self._read_metadata(self._opf)
            self._items = {each.get("id", ""): each for each in _named(self._opf, "item")}
        self._encrypted = self._encrypted_parts()

    def chapters(self) -> list[Chapter]:
        """The content documents in reading order, those outside of it last. Raises ExtractError if one is encrypted."""
        spine = self._spine()
        if not spine:
            names = sorted(name for name in self.zip.names if _CHAPTER_NAME.search(name))
            spine = [Chapter(name) for name in names if not name.upper().startswith("META-INF/")]
            self.warnings.append("The book does not say in which order its chapters are read.")
        if any(chapter.part in self._encrypted for chapter in spine):
            raise ExtractError("corrupt", _PROTECTED)
        return spine[:_MAX_CHAPTERS]

    def titles(self) -> dict[str, str]:
        """The title of each chapter in the table of contents, by the name of its part."""
        found: dict[str, str] = {}
        for item in self._items.values():
            part = self.part(item.get("href", ""))
            if part is None:
                continue
            if item.get("media-type") == "application/x-dtbncx+xml":
                pairs = self._ncx_titles(part)
            elif "nav" in item.get("properties", "").split():
                pairs = self._nav_titles(part)
            else:
                continue
            for target, title in pairs:
                name = self.part(target, posixpath.dirname(part))
                if name is not None and title:
                    found.setdefault(name, title)
        return found

    def part(self, href: str, folder: str | None = None) -> str | None:
        """The part that a link names, relative to the package document or `folder`; None if there is none."""
        base = self._folder if folder is None else folder
        path = href.split("#")[0]
        for each in (unquote(path), path, unquote(path, "cp1252")):
            name = _normal(posixpath.normpath(posixpath.join(base, each)).lstrip("/"))
            if each and name in self._names:
                return self._names[name]
        return None

    def _package_document(self) -> Element | None:
        self._folder = ""
        paths = []
        with contextlib.suppress(ExtractError):
            container = bounded_xml.parse(self.zip.read("META-INF/container.xml", _MAX_XML))
            paths = [each.get("full-path", "") for each in _named(container, "rootfile")]
        paths += [name for name in self.zip.names if name.lower().endswith(".opf")]
        for path in paths:
            with contextlib.suppress(ExtractError):
                part = self.part(path, "")
                if part is not None:
                    document = bounded_xml.parse(self.zip.read(part, _MAX_XML))
                    self._folder = posixpath.dirname(part)
                    return document
        return None

    def _read_metadata(self, opf: Element) -> None:
        titles = [_text(each) for each in _named(opf, "title")]
        main = {each.get("refines", "").lstrip("#") for each in _named(opf, "meta") if _text(each) == "main"}
        titles = [_text(each) for each in _named(opf, "title") if each.get("id", "") in main] + titles
        self.title = next((title for title in titles if title), None)
        creators = [_text(each) for each in _named(opf, "creator")]
        self.authors = clean_authors(creators)
        self.author = ", ".join(self.authors) or None
        self.tags = clean_tags(_text(each) for each in _named(opf, "subject"))
        self.language = next(
            (code for each in _named(opf, "language") if (code := language_code(_text(each)))), None
        )
        dates = sorted(_named(opf, "date"), key=lambda each: "publication" not in each.attrib.values())
        matches = (_DATE.match(_text(each)) for each in dates)
        self.date = next((found[0] for found in matches if found), None)

    def _spine(self) -> list[Chapter]:
        if self._opf is None:
            return []
        first: list[Chapter] = []
        last: list[Chapter] = []
        missing = 0
        seen = set()
        for reference in _named(self._opf, "itemref"):
            item = self._shown(reference.get("idref", ""))
            part = self.part(item.get("href", "")) if item is not None else None
            if item is None or part is None:
                missing += 1
            elif part not in seen:
                seen.add(part)
                order = last if reference.get("linear", "yes").lower() == "no" else first
                order.append(Chapter(part, "nav" in item.get("properties", "").split()))
        if missing:
            verb = "chapter is" if missing == 1 else "chapters are"
            self.warnings.append(f"{missing} {verb} missing in the file.")
        return first + last

    def _shown(self, id: str) -> Element | None:
        """The item, or the one that is shown in its stead where it is no text."""
        for _ in range(5):
            item = self._items.get(id)
            if item is None or item.get("media-type", "").lower() in _CHAPTER_TYPES:
                return item
            if _CHAPTER_NAME.search(item.get("href", "").split("#")[0]):
                return item
            id = item.get("fallback", "")
        return None

    def _ncx_titles(self, part: str) -> Iterator[tuple[str, str]]:
        with contextlib.suppress(ExtractError):
            for point in _named(bounded_xml.parse(self.zip.read(part, _MAX_XML)), "navPoint"):
                label = next((_text(child) for child in point if _local(child) == "navLabel"), "")
                target = next((child.get("src", "") for child in point if _local(child) == "content"), "")
                yield target, label

    def _nav_titles(self, part: str) -> Iterator[tuple[str, str]]:
        with contextlib.suppress(ExtractError):
            for link in _named(bounded_xml.parse(self.zip.read(part, _MAX_XML)), "a"):
                yield link.get("href", ""), _text(link)

    def _encrypted_parts(self) -> set[str]:
        """The parts that are encrypted; fonts may be, and are not needed."""
        name = "META-INF/encryption.xml"
        if name not in self.zip:
            return set()
        with contextlib.suppress(ExtractError):
            references = _named(bounded_xml.parse(self.zip.read(name, _MAX_XML)), "CipherReference")
            parts = {self.part(each.get("URI", ""), "") for each in references}
            return {part for part in parts if part is not None}
        return set()


def _named(root: Element, name: str) -> Iterator[Element]:
    return (each for each in root.iter() if _local(each) == name)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/")).casefold()
