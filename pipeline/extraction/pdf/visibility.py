"""Which text of a PDF page is drawn but not seen: clipped away, or on a layer that is switched off.

Runs in the worker processes.
"""

from __future__ import annotations

import ctypes
import io
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.extraction.pdf.words import Word

_MAX_SEGMENTS = 50  # of a clip path; one with more is not looked at

Box = tuple[float, float, float, float]


class HiddenText:
    """Finds hidden words; `hidden_layers` gives the names of the layers that are off, and is called when needed."""

    def __init__(self, raw: Any, hidden_layers: Callable[[], frozenset[str]]) -> None:
        self._raw = raw
        self._hidden_layers = hidden_layers

    def without(self, words: Sequence[Word], text_page: Any) -> list[Word]:
        """The words that are seen. Words on one line are looked at together, as long as they are seen."""
        result: list[Word] = []
        before: Word | None = None
        for word in words:
            same_line = before is not None and word.y == before.y and word.spaced and word.x0 >= before.x1
            if same_line or not self._hidden(word, text_page):
                result.append(word)
                before = word
            else:
                before = None
        return result

    def _hidden(self, word: Word, text_page: Any) -> bool:
        piece = self._raw.FPDFText_GetTextObject(text_page, word.start)
        if not piece:
            return False
        return self._clipped(piece, word) or self._on_hidden_layer(piece)

    def _on_hidden_layer(self, piece: Any) -> bool:
        raw = self._raw
        for at in range(min(raw.FPDFPageObj_CountMarks(piece), 20)):
            mark = raw.FPDFPageObj_GetMark(piece, at)
            if mark and _mark_string(raw.FPDFPageObjMark_GetName, mark) == "OC":
                name = _mark_string(raw.FPDFPageObjMark_GetParamStringValue, mark, b"Name")
                if name and name in self._hidden_layers():
                    return True
        return False

    def _clipped(self, piece: Any, word: Word) -> bool:
        """Whether the piece is wholly outside a rectangle that it is clipped to."""
        raw = self._raw
        if word.direction != 0:
            return False
        path = raw.FPDFPageObj_GetClipPath(piece)
        count = raw.FPDFClipPath_CountPaths(path) if path else 0
        if not 0 < count <= _MAX_SEGMENTS:
            return False
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        if not raw.FPDFPageObj_GetBounds(piece, left, bottom, right, top):
            return False
        middle = (word.x0 + word.x1) / 2
        if not (left.value - 1 <= middle <= right.value + 1 and bottom.value - 1 <= word.y <= top.value + 1):
            return False  # the piece is part of a drawing with coordinates of its own
        for at in range(count):
            box = self._clip_box(path, at)
            if box is not None and (
                right.value < box[0] or left.value > box[2] or top.value < box[1] or bottom.value > box[3]
            ):
                return True
        return False

    def _clip_box(self, path: Any, index: int) -> Box | None:
        raw = self._raw
        count = raw.FPDFClipPath_CountPathSegments(path, index)
        if not 0 < count <= _MAX_SEGMENTS:
            return None
        x, y = ctypes.c_float(), ctypes.c_float()
        points = []
        for at in range(count):
            segment = raw.FPDFClipPath_GetPathSegment(path, index, at)
            if not segment or not raw.FPDFPathSegment_GetPoint(segment, x, y):
                return None
            points.append((x.value, y.value))
        across, up = zip(*points, strict=True)
        return min(across), min(up), max(across), max(up)


def _mark_string(function: Any, *arguments: Any) -> str:
    size = ctypes.c_ulong()
    buffer = (ctypes.c_ushort * 200)()
    if not function(*arguments, buffer, ctypes.sizeof(buffer), size) or not 2 < size.value <= ctypes.sizeof(
        buffer
    ):
        return ""
    return bytes(buffer)[: size.value - 2].decode("utf-16-le", "replace")


def hidden_layers(data: bytes) -> frozenset[str]:
    """The names of the layers that are switched off; PDFium does not tell them."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of damage that does not matter here
    try:
        catalog: Any = pypdf.PdfReader(io.BytesIO(data)).trailer["/Root"]
        properties = catalog["/OCProperties"]
        setting = properties["/D"]
        names = {str(each.get_object()["/Name"]) for each in setting.get("/OFF", ())}
        if setting.get("/BaseState") == "/OFF":
            on = {each.idnum for each in setting.get("/ON", ())}
            names |= {str(each.get_object()["/Name"]) for each in properties["/OCGs"] if each.idnum not in on}
        return frozenset(names)
    except MemoryError:
        raise
    except Exception:  # the parser raises what it likes for a damaged file, whose text is read all the same
        return frozenset()
