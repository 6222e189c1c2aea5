"""OpenDocument files, packed or flat: their XML parts, namespaces and properties. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml
from pipeline.extraction.content import ExtractError
from pipeline.extraction.opc import Properties
from pipeline.extraction.zip_package import ZipPackage
from semantik.core.metadata import split_tags

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
OFFICE = _OASIS + "office:1.0}"
TEXT = _OASIS + "text:1.0}"
TABLE = _OASIS + "table:1.0}"
STYLE = _OASIS + "style:1.0}"
DRAW = _OASIS + "drawing:1.0}"
SVG = _OASIS + "svg-compatible:1.0}"
FO = _OASIS + "xsl-fo-compatible:1.0}"
CHART = _OASIS + "chart:1.0}"
FORM = _OASIS + "form:1.0}"
PRESENTATION = _OASIS + "presentation:1.0}"
META = _OASIS + "meta:1.0}"
MANIFEST = _OASIS + "manifest:1.0}"
DC = "{http://purl.org/dc/elements/1.1/}"
XLINK = "{http://www.w3.org/1999/xlink}"
POSITION = "position"  # an attribute of ours: how far a span is raised
_SMALL = 20 << 20  # bytes: manifest, properties
_ENCRYPTED = "The document is encrypted and cannot be read without its password."


class OpenDocument:
    """One OpenDocument file."""

    def __init__(self, data: bytes) -> None:
        """Raises ExtractError for a file that is damaged or encrypted."""
        self.zip: ZipPackage | None = None
        self._flat = b""
        if data.startswith(b"PK"):
            self.zip = ZipPackage(data)
            self._refuse_encrypted()
        else:
            self._flat = data

    def content(self, kind: str) -> Iterator[Element]:
        """The children of the body's element of a kind ("text", "spreadsheet"...), one by one. Raises ExtractError."""
        return bounded_xml.blocks(self.part("content.xml"), OFFICE + kind)

    def positions(self) -> dict[str, int]:
        """The automatic styles that raise (above 0) or lower text, by name."""
        found = {
            style.get(f"{STYLE}name", ""): text_position(each.get(f"{STYLE}text-position", ""))
            for styles in self.styles()
            for style in styles.iter(f"{STYLE}style")
            for each in style.findall(f"{STYLE}text-properties")
        }
        return {name: position for name, position in found.items() if position}

    def part(self, name: str) -> bytes:
        """A part's bytes; of a flat file the whole, whatever the part. Raises ExtractError."""
        return self._flat if self.zip is None else self.zip.read(name)

    def styles(self) -> list[Element]:
        """The elements that hold styles: office:styles, office:automatic-styles and office:master-styles of all parts.

        Those of a damaged or missing part are left out.
        """
        wanted = {OFFICE + name for name in ("styles", "automatic-styles", "master-styles")}
        found: list[Element] = []
        for name in ("styles.xml", "content.xml")[: 2 if self.zip is not None else 1]:
            with contextlib.suppress(ExtractError):
                found += bounded_xml.sections(self.part(name), wanted, stop=OFFICE + "body")
        return found

    def properties(self) -> Properties:
        """Title, author, date and keywords of the document; fields are None where they are missing or damaged."""
        with contextlib.suppress(ExtractError):
            data = self.zip.read("meta.xml", _SMALL) if self.zip is not None else self._flat
            for meta in bounded_xml.sections(data, {OFFICE + "meta"}, stop=OFFICE + "body"):
                author = meta.findtext(META + "initial-creator") or meta.findtext(DC + "creator")
                date = meta.findtext(DC + "date") or meta.findtext(META + "creation-date")
                tags = split_tags(", ".join(each.text or "" for each in meta.findall(META + "keyword")))
                return Properties(_line(meta.findtext(DC + "title")), _line(author), _line(date), tags)
        return Properties()

    def object_content(self, href: str) -> Element | None:
        """The root of an embedded object's content (a chart, a formula) by its xlink:href; None where there is none."""
        name = f"{href.removeprefix('./').rstrip('/')}/content.xml"
        if self.zip is None or name not in self.zip:
            return None
        with contextlib.suppress(ExtractError):
            return bounded_xml.parse(self.zip.read(name))
        return None

    def _refuse_encrypted(self) -> None:
        if self.zip is None or "META-INF/manifest.xml" not in self.zip:
            return
        if "encrypted-package" in self.zip:  # ODF 1.4 packs the whole document into one encrypted part
            raise ExtractError("corrupt", _ENCRYPTED)
        locked = False
        with contextlib.suppress(ExtractError):
            root = bounded_xml.parse(self.zip.read("META-INF/manifest.xml", _SMALL))
            locked = any(
                entry.get(MANIFEST + "full-path") == "content.xml"
                for entry in root.iter(MANIFEST + "file-entry")
                if entry.find(MANIFEST + "encryption-data") is not None
            )
        if locked:
            raise ExtractError("corrupt", _ENCRYPTED)


def text_position(text: str) -> int:
    """How far "super 58%", "33% 58%" or "sub" raises a text: below 0 for lowered text."""
    first = text.partition(" ")[0].rstrip("%")
    if first.removeprefix("-").replace(".", "", 1).isdecimal():
        return round(float(first))
    return {"super": 1, "sub": -1}.get(first, 0)


def mark_positions(node: Element, positions: Mapping[str, int]) -> None:
    """Mark the raised and lowered spans in a node for `odf_text.paragraph`, which knows no styles."""
    for span in node.iter(f"{TEXT}span") if positions else ():
        if position := positions.get(span.get(f"{TEXT}style-name", "")):
            span.set(POSITION, str(position))


def _line(text: str | None) -> str | None:
    return " ".join((text or "").split()) or None
