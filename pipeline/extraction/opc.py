"""Office Open XML packages (DOCX, PPTX, XLSX): parts, the relations between them, and the properties. Pure.

Names of parts come from the relations alone, since writers choose them freely. The strict variant's namespaces are
replaced by the common ones, so that a reader needs to know one of each. Runs in the worker processes.
"""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml
from pipeline.extraction.content import ExtractError
from pipeline.extraction.metadata import unstated
from pipeline.extraction.zip_package import ZipPackage
from semantik.core.metadata import split_tags

_OPENXML = "http://schemas.openxmlformats.org/"
W = f"{{{_OPENXML}wordprocessingml/2006/main}}"
P = f"{{{_OPENXML}presentationml/2006/main}}"
S = f"{{{_OPENXML}spreadsheetml/2006/main}}"
A = f"{{{_OPENXML}drawingml/2006/main}}"
C = f"{{{_OPENXML}drawingml/2006/chart}}"
DGM = f"{{{_OPENXML}drawingml/2006/diagram}}"
M = f"{{{_OPENXML}officeDocument/2006/math}}"
R = f"{{{_OPENXML}officeDocument/2006/relationships}}"
MC = f"{{{_OPENXML}markup-compatibility/2006}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CORE = f"{{{_OPENXML}package/2006/metadata/core-properties}}"
_TERMS = "{http://purl.org/dc/terms/}"
_STRICT = b"http://purl.oclc.org/ooxml/"
_STRICT_NAMESPACE = re.compile(rb"http://purl\.oclc\.org/ooxml/([\w/]+)")
_SMALL = 20 << 20  # bytes: relations, properties


@dataclass(frozen=True)
class Relation:
    """`kind` is the last word of its type: "footnotes". `target` is a part name, or a link where `external`."""

    id: str
    kind: str
    target: str
    external: bool


@dataclass(frozen=True)
class Properties:
    """What the file says of itself; `date` in ISO 8601, that of the last change before that of the beginning."""

    title: str | None = None
    author: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()


class Package:
    """One Office Open XML file."""

    def __init__(self, data: bytes) -> None:
        """Raises ExtractError for a damaged ZIP file."""
        self.zip = ZipPackage(data)
        self._relations: dict[str, dict[str, Relation]] = {}

    def main(self, usual: str = "") -> str:
        """The name of the document's main part, else the `usual` one. Raises ExtractError if there is none."""
        for part in self.related("", "officeDocument"):
            return part
        if usual in self.zip:
            return usual
        raise ExtractError("corrupt", "The file has lost its main part, or never was an Office document.")

    def relations(self, part: str) -> dict[str, Relation]:
        """The relations of a part by their ids; "" stands for the package. Empty if they are missing or damaged."""
        if part not in self._relations:
            found: dict[str, Relation] = {}
            with contextlib.suppress(ExtractError):
                found = self._read_relations(part)
            self._relations[part] = found
        return self._relations[part]

    def related(self, part: str, kind: str) -> list[str]:
        """The names of the existing parts that a part's relations of a kind lead to."""
        found = (each for each in self.relations(part).values() if each.kind == kind and not each.external)
        return [each.target for each in found if each.target in self.zip]

    def read(self, part: str) -> bytes:
        """The bytes of a part, with common namespaces if it is XML of the strict variant. Raises ExtractError."""
        data = self.zip.read(part)
        return _STRICT_NAMESPACE.sub(_common, data) if _STRICT in data[:65_536] else data

    def xml(self, part: str) -> Element:
        """The root element of a part. Raises ExtractError."""
        return bounded_xml.parse(self.read(part))

    def blocks(self, part: str, *containers: str) -> Iterator[Element]:
        """The children of a part's first element with one of the tags, one by one. Raises ExtractError."""
        return bounded_xml.blocks(self.read(part), *containers)

    def content_type(self, part: str) -> str:
        """The MIME type that the package declares for a part; empty if none."""
        declared = self._content_types.get("/" + part.casefold())
        return declared or self._content_types.get(posixpath.splitext(part)[1].casefold(), "")

    def properties(self) -> Properties:
        """Title, author, date and keywords; fields are None where they are missing or damaged."""
        for part in self.related("", "core-properties"):
            with contextlib.suppress(ExtractError):
                root = self.xml(part)
                dates = ((root.findtext(f"{_TERMS}{name}") or "").strip() for name in ("modified", "created"))
                return Properties(
                    unstated.title(_line(root.findtext(f"{_DC}title"))),
                    unstated.author(_line(root.findtext(f"{_DC}creator"))),
                    next((date for date in dates if unstated.is_date(date)), None),
                    split_tags(
                        ", ".join(root.findtext(_CORE + name) or "" for name in ("keywords", "category"))
                    ),
                )
        return Properties()

    @cached_property
    def _content_types(self) -> dict[str, str]:
        with contextlib.suppress(ExtractError):
            root = bounded_xml.parse(self.zip.read("[Content_Types].xml", _SMALL))
            return {
                (each.get("PartName") or "." + each.get("Extension", "")).casefold(): each.get(
                    "ContentType", ""
                )
                for each in root
            }
        return {}

    def _read_relations(self, part: str) -> dict[str, Relation]:
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        if path not in self.zip:
            return {}
        found = {}
        for node in bounded_xml.parse(self.zip.read(path, _SMALL)):
            kind = node.get("Type", "").rpartition("/")[2]
            external = node.get("TargetMode") == "External"
            target = node.get("Target", "")
            if not external:
                target = self._resolve(folder, target)
            found[node.get("Id", "")] = Relation(node.get("Id", ""), kind, target, external)
        return found

    def _resolve(self, folder: str, target: str) -> str:
        path = posixpath.normpath(posixpath.join("/", folder, target.replace("\\", "/"))).lstrip("/")
        return path if path in self.zip else unquote(path)


def content_of_alternates(node: Element) -> list[Element]:
    """The children to read of an mc:AlternateContent: those of its first choice, else those of its fallback."""
    choices = [each for each in node if each.tag in (f"{MC}Choice", f"{MC}Fallback")]
    return list(next((each for each in choices if len(each)), ()))


def _common(found: re.Match[bytes]) -> bytes:
    first, _, rest = found[1].decode().partition("/")
    if first in ("wordprocessingml", "presentationml", "spreadsheetml", "drawingml"):
        return f"{_OPENXML}{first}/2006/{rest}".encode()
    if first == "officeDocument":
        return f"{_OPENXML}officeDocument/2006/{rest}".encode()
    return found[0]


def _line(text: str | None) -> str | None:
    return " ".join((text or "").split()) or None
