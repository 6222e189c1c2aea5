"""A document's text, joined from its chunks. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from semantik.core.models import Chunk


def join_chunks(chunks: Iterable[Chunk], start: int, end: int) -> str:
    """The characters `start` to `end` of a document; `chunks`, in their order, contain all its words.

    What lies between two chunks has no letter or digit, and is mostly white space; such a gap is replaced by white
    space of the same length.
    """
    parts: list[str] = []
    at = start
    for chunk in chunks:
        parts.append(_gap(chunk.start - at))
        from_here = max(at, chunk.start)
        parts.append(chunk.text[from_here - chunk.start : max(end - chunk.start, 0)])
        at = max(at, min(chunk.end, end))
    parts.append(_gap(end - at))
    return "".join(parts)


def _gap(length: int) -> str:
    """White space that ends in a paragraph break; a gap may be long, such as a rule of a thousand dashes."""
    return " " * (length - 2) + "\n" * min(length, 2)
