"""Whether a query looks like a name, a code or a number. Pure."""

from __future__ import annotations

import regex

# A word, or two or three that each begin with a capital: "Grace Hopper", "La Florida". A question has small words, too.
_NAME = regex.compile(r"\S+|\p{Lu}[\p{L}\p{M}\p{N}.'’-]*(?:\s+\p{Lu}[\p{L}\p{M}\p{N}.'’-]*){1,2}")
# Pieces with digits or without small letters, perhaps after and between words of at most three letters: "HTTP 404",
# "ab 1234 5", "2.5 mm".
_PIECE = r"(?:\S*\p{Nd}\S*(?:\s+\p{L}{1,3}[.:]?)?|[^\s\p{Ll}\p{Lo}\p{Lm}\p{Lt}]+)"
_CODE = regex.compile(rf"(?=.*\p{{Nd}})(?:\p{{L}}{{1,3}}[.:]?\s+)?{_PIECE}(?:\s+{_PIECE}){{0,7}}")


def is_name(text: str) -> bool:
    """Whether it is one word or number, two or three words with capitals, or a code or number in several pieces."""
    text = text.strip()
    return _NAME.fullmatch(text) is not None or _CODE.fullmatch(text) is not None
