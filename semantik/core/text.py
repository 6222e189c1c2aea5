"""A document's text, put together again from its passages. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from semantik.core.models import Chunk


def joined_chunks(chunks: Iterable[Chunk], begin: int, end: int) -> str:
    """The characters `begin` to `end` of a document, of which `chunks`, in their order, hold all words.

    What lies between two chunks has no letter or digit, and is mostly white space; a gap comes back as long as it is,
    as white space.
    """
    parts: list[str] = []
    at = begin
    for chunk in chunks:
        parts.append(_gap(chunk.start - at))
        from_here = max(at, chunk.start)
        parts.append(chunk.text[from_here - chunk.start : max(end - chunk.start, 0)])
        at = max(at, min(chunk.end, end))
    parts.append(_gap(end - at))
    return "".join(parts)


def _gap(length: int) -> str:
    """A break between paragraphs, however long: a rule of a thousand dashes may stand in one."""
    return " " * (length - 2) + "\n" * min(length, 2)
