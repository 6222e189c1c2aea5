"""Whether a query looks like a name. Pure."""

from __future__ import annotations

import regex

# A word, or two or three that each begin with a capital: "Grace Hopper", "La Florida". A question has small words, too.
_NAME = regex.compile(r"\S+|\p{Lu}[\p{L}\p{M}\p{N}.'’-]*(?:\s+\p{Lu}[\p{L}\p{M}\p{N}.'’-]*){1,2}")


def is_name(text: str) -> bool:
    """Whether it is one word or number, or two or three words with capitals."""
    return _NAME.fullmatch(text.strip()) is not None
