"""Visio drawings of 2013 and later (VSDX and its relatives), page by page. Pure; runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.opc import Package, R
from pipeline.extraction.presentations import slide
from pipeline.extraction.presentations.slide import Shape, Slide


def read(package: Package) -> Content:
    """The texts and data of the shapes below the names of their pages. Raises ExtractError."""
    pages: list[Slide] = []
    warnings: list[str] = []
    for listed in (
        each for main in package.related("", "document") for each in package.related(main, "pages")
    ):
        relations = package.relations(listed)
        for page in _named(package.xml(listed), "Page"):
            relation = next((relations.get(each.get(f"{R}id", "")) for each in _named(page, "Rel")), None)
            try:
                root = package.xml(relation.target) if relation else None
            except ExtractError as error:
                root = None
                warnings.append(f"Page {len(pages) + 1} is not read: {error.message}")
            texts = _texts(root) if root is not None else ()
            pages.append(Slide(_title(page), [Shape(text) for text in texts]))
            if len(pages) >= slide.MAX_SLIDES:
                break
    return slide.content(pages, package.properties(), warnings)


def _named(node: Element, name: str) -> Iterator[Element]:
    """The elements of a name below a node: the namespace differs between versions."""
    return (each for each in node.iter() if each.tag.rpartition("}")[2] == name)


def _title(page: Element) -> str:
    """The name of a page; not "Page-2", which Visio gives, in its own language."""
    name = page.get("Name") or ""
    given = re.fullmatch(r"Page(-\d+)", page.get("NameU") or name)
    return "" if given and name.endswith(given[1]) else name


def _texts(page: Element) -> Iterator[str]:
    for node in page.iter():
        name = node.tag.rpartition("}")[2]
        if name == "Text":
            lines = (" ".join(line.split()) for line in "".join(node.itertext()).splitlines())
            yield markdown.literal("\n".join(line for line in lines if line))
        elif name == "Section" and node.get("N") == "Property":
            yield markdown.literal("\n".join(filter(None, map(_property, _named(node, "Row")))))


def _property(row: Element) -> str:
    """A fact that a user has given a shape: "Owner: Ana"."""
    cells = {cell.get("N"): (cell.get("V") or "").strip() for cell in _named(row, "Cell")}
    return f"{cells.get('Label') or row.get('N', '')}: {cells['Value']}" if cells.get("Value") else ""
