"""Tells texts in UTF-16 without a byte order mark from binary data. Pure."""

from __future__ import annotations

import unicodedata

_SAMPLE = 4096  # bytes from the beginning
_FEWEST = 8  # bytes
_ALLOWED = frozenset("\t\n\f\r")
_IMPOSSIBLE = frozenset({"Cc", "Cn", "Co", "Cs"})  # controls, unassigned, private, halves of pairs
_MAX_SCRIPTS = 4  # of 256 characters each; East Asian characters, which spread, do not count


def unmarked(data: bytes) -> str | None:
    """The codec of a text in UTF-16 without a mark: all its characters exist, and some are ASCII."""
    if len(data) < _FEWEST or len(data) % 2 or b"\0" not in data[:_SAMPLE]:
        return None
    big_endian = data[:_SAMPLE:2].count(0) > data[1:_SAMPLE:2].count(0)
    codec = "utf-16-be" if big_endian else "utf-16-le"
    # A pair that the sample cuts is left out, damage is not.
    text = data[: _SAMPLE - 2].decode(codec, "replace").removesuffix("\ufffd")
    if any(character == "\ufffd" or _is_impossible(character) for character in text):
        return None
    scripts = {ord(character) >> 8 for character in text if not _is_east_asian(character)}
    plain = sum(" " <= character <= "~" or character in _ALLOWED for character in text)
    return codec if 0 in scripts and len(scripts) <= _MAX_SCRIPTS and plain * 50 >= len(text) else None


def _is_impossible(character: str) -> bool:
    return unicodedata.category(character) in _IMPOSSIBLE and character not in _ALLOWED


def _is_east_asian(character: str) -> bool:
    return "\u2e80" <= character <= "\ud7ff" or "\uf900" <= character <= "\uffef"
