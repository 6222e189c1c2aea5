"""What kreuzberg leaves out of a PowerPoint presentation: the order of the slides, and the speaker's notes.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass
from xml.etree import ElementTree

_MAX_PART_BYTES = 4 << 20  # unpacked; the notes of a slide have some hundred
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDES = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_NUMBERED = re.compile(r"ppt/slides/slide(\d{1,9})\.xml")
_DAMAGE = (
    zipfile.BadZipFile, ElementTree.ParseError, zlib.error,
    LookupError, ValueError, RuntimeError, OSError, EOFError,
)  # fmt: skip


class SlidesUnreadable(Exception):
    """The presentation's own lists of its slides and notes are damaged."""


@dataclass(frozen=True)
class Slide:
    """`number` is the slide's place in the show, from 1; a slide that is not shown comes after all others."""

    number: int
    notes: str


def read(data: bytes) -> list[Slide]:
    """The slides in the order in which kreuzberg returns them: by the numbers in their file names.

    Raises SlidesUnreadable. Kreuzberg does not need the lists that are read here, so it has the slides all the same.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except _DAMAGE as error:
        raise SlidesUnreadable(repr(error)) from error


def _read(archive: zipfile.ZipFile) -> list[Slide]:
    files = _related(archive, "ppt/presentation.xml", "slide")
    shown = [
        node.get(_RELATION, "") for node in _part(archive, "ppt/presentation.xml").iter(_SLIDES + "sldId")
    ]
    ordered = sorted(files, key=lambda key: shown.index(key) if key in shown else len(shown))
    numbers = {key: number for number, key in enumerate(ordered, 1)}
    by_file_number = sorted(files, key=lambda key: _file_number(files[key]))
    return [Slide(numbers[key], _notes(archive, files[key])) for key in by_file_number]


def _file_number(path: str) -> float:
    found = _NUMBERED.fullmatch(path)
    return int(found[1]) if found else float("inf")


def _notes(archive: zipfile.ZipFile, slide: str) -> str:
    paragraphs = []
    for path in _related(archive, slide, "notesSlide").values():
        for shape in _part(archive, path).iter(_SLIDES + "sp"):
            placeholder = shape.find(f".//{_SLIDES}ph")
            if placeholder is not None and placeholder.get("type") == "body":
                paragraphs += [_text(paragraph) for paragraph in shape.iter(_DRAWING + "p")]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _text(paragraph: ElementTree.Element) -> str:
    nodes = (node for node in paragraph.iter() if node.tag in (_DRAWING + "t", _DRAWING + "br"))
    return "".join("\n" if node.tag == _DRAWING + "br" else node.text or "" for node in nodes).strip()


def _related(archive: zipfile.ZipFile, path: str, kind: str) -> dict[str, str]:
    """The parts that `path` names as its `kind`, by the names of the relations."""
    folder, name = posixpath.split(path)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in archive.NameToInfo:
        return {}
    return {
        node.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, node.get("Target", ""))).lstrip(
            "/"
        )
        for node in _part(archive, relations)
        if node.get("Type", "").endswith(f"/{kind}")
    }


def _part(archive: zipfile.ZipFile, path: str) -> ElementTree.Element:
    with archive.open(path) as file:
        content = file.read(_MAX_PART_BYTES + 1)
    if len(content) > _MAX_PART_BYTES:
        raise ValueError(f"{path} is too large")
    return ElementTree.fromstring(content)
