"""What stands beside the cells of an XLSX sheet: comments, tables, text boxes and charts. Pure; in the workers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction.content import ExtractError
from pipeline.extraction.opc import DGM, A, C, Package, R, S
from pipeline.extraction.spreadsheets.drawingml import chart_text, smartart_text
from pipeline.extraction.spreadsheets.sheet import Comment
from pipeline.extraction.spreadsheets.xlsx_cells import area, position, string

_THREADED = "{http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments}"
_XDR = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"


def persons(package: Package, workbook: str) -> dict[str, str]:
    """The names of the people who comment, by their ids."""
    found = {}
    for part in package.related(workbook, "person"):
        with contextlib.suppress(ExtractError):
            for node in package.xml(part):
                found[node.get("id", "")] = node.get("displayName", "")
    return found


def comments(package: Package, sheet: str, names: dict[str, str]) -> list[Comment]:
    """The comments of a sheet in the order of its rows; of a thread each answer is one.

    Excel writes a thread once more as an old comment, for older programs; that copy is left out.
    """
    found = threads(package, sheet, names)
    threaded = {(each.row, each.column) for each in found}
    for part in package.related(sheet, "comments"):
        with contextlib.suppress(ExtractError):
            found += (each for each in _old(package.xml(part)) if (each.row, each.column) not in threaded)
    return sorted(found, key=lambda each: (each.row, each.column))


def threads(package: Package, sheet: str, names: dict[str, str]) -> list[Comment]:
    """The comments of a sheet's threads."""
    found: list[Comment] = []
    for part in package.related(sheet, "threadedComment"):
        with contextlib.suppress(ExtractError):
            for node in package.xml(part).iter(f"{_THREADED}threadedComment"):
                if place := position(node.get("ref", "")):
                    author = names.get(node.get("personId", ""), "")
                    found.append(Comment(*place, author, node.findtext(f"{_THREADED}text") or ""))
    return found


def old_comment(row: int, column: int, author: str, text: str) -> Comment:
    """A comment without its author's name at the beginning, which Excel writes there."""
    text = text.strip()
    if author and text.startswith(f"{author}:"):
        text = text[len(author) + 1 :]
    return Comment(row, column, author, text)


def _old(root: Element) -> Iterator[Comment]:
    authors = [node.text or "" for node in root.iter(f"{S}author")]
    for node in root.iter(f"{S}comment"):
        place, number = position(node.get("ref", "")), node.get("authorId", "")
        author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
        body = node.find(f"{S}text")
        if place and body is not None:
            yield old_comment(*place, author, string(body))


def header_rows(package: Package, sheet: str) -> list[int]:
    """The numbers of the rows that are headers of the sheet's tables."""
    found = []
    for part in package.related(sheet, "table"):
        with contextlib.suppress(ExtractError):
            root = package.xml(part)
            place = area(root.get("ref", ""))
            if place and root.get("headerRowCount", "1") != "0":
                found.append(place[0] + 1)
    return found


def drawn(package: Package, sheet: str, with_values: bool = False) -> list[str]:
    """The texts of a sheet's text boxes and SmartArt, its charts' titles, and the words that describe its pictures.

    `with_values` for a sheet that is a chart: else the values are those of cells.
    """
    found: list[str] = []
    for part in package.related(sheet, "drawing"):
        with contextlib.suppress(ExtractError):
            for node in package.xml(part).iter():
                found += _texts(package, part, node, with_values)
    return [text for text in found if text]


def _texts(package: Package, part: str, node: Element, with_values: bool) -> Iterator[str]:
    if node.tag == f"{_XDR}txBody":
        lines = ("".join(run.text or "" for run in line.iter(f"{A}t")) for line in node.iter(f"{A}p"))
        yield "\n".join(line.strip() for line in lines if line.strip())
    elif node.tag == f"{_XDR}cNvPr" and node.get("descr"):
        yield " ".join(node.get("descr", "").split())
    elif node.tag == f"{C}chart" or node.tag.endswith("/chartex}chart"):
        if (root := related(package, part, node.get(f"{R}id", ""))) is not None:
            titles = chart_text(root).splitlines()
            yield "\n".join(line for line in titles if with_values or not line.startswith("|"))
    elif node.tag == f"{DGM}relIds" and (root := related(package, part, node.get(f"{R}dm", ""))) is not None:
        yield smartart_text(root)


def related(package: Package, part: str, relation: str) -> Element | None:
    """The root of the part that a relation leads to; None if that is missing or damaged."""
    found = package.relations(part).get(relation)
    if found is None or found.external:
        return None
    with contextlib.suppress(ExtractError):
        return package.xml(found.target)
    return None
