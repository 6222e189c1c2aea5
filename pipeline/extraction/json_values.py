"""Values of JSON as a person reads them: HTML as shown, sentences in one piece, nothing twice. Pure."""

from __future__ import annotations

import json
from typing import Any

from pipeline.extraction.html.pieces import is_piece, piece_to_markdown

_MAX_DEPTH = 100  # levels that are simplified
_PIECE_KEYS = 4  # values of a piece of a sentence: its type, its text, a link, its marks


def repaired(text: str, value: Any) -> Any:
    """The value with its letters right, where UTF-8 was written byte by byte, as Facebook and Instagram export it.

    "ü" is "\\u00c3\\u00bc" there. Only if that explains all letters of the file: then it is no chance.
    """
    if not text.isascii() or "\\u00" not in text:
        return value
    try:
        return json.loads(json.dumps(value, ensure_ascii=False).encode("latin-1").decode("utf-8"))
    except (UnicodeError, ValueError, RecursionError):
        return value


def simplified(value: Any, depth: int = 0) -> Any:
    """The same value with less to read and all of its texts."""
    if isinstance(value, str):
        return piece_to_markdown(value) if is_piece(value) else value
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, list):
        if (sentence := _sentence(value)) is not None:
            return sentence
        return [simplified(each, depth + 1) for each in value]
    if isinstance(value, dict):
        if value.get("type") == "excalidraw" and isinstance(value.get("elements"), list):
            value = {"elements": [each for each in value["elements"] if _text_of_drawing(each)]}
        return _without_repeats({key: simplified(each, depth + 1) for key, each in value.items()})
    return value


def _sentence(values: list[Any]) -> str | None:
    """The text of a list that holds the pieces of one, with the spaces between, as editors and messengers write it.

    A piece is a text, or an object with a type and a text, or a name instead of a text.
    """
    pieces = [each for each in values if isinstance(each, dict)]
    if not pieces or any(not isinstance(each.get("type"), str) or len(each) > _PIECE_KEYS for each in pieces):
        return None
    if len(values) == 1:
        return values[0]["text"] if len(pieces[0]) == 2 and isinstance(pieces[0].get("text"), str) else None
    texts = [_piece(each) if isinstance(each, dict) else each for each in values]
    if all(isinstance(text, str) for text in texts) and any(text != text.strip(" ") for text in texts):
        return "".join(texts)
    return None


def _piece(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        return "\n"  # a line break
    named = (each for key, each in value.items() if key != "type" and isinstance(each, str))
    return value.get("text") or next(named, None)


def _text_of_drawing(element: Any) -> bool:
    return isinstance(element, dict) and "text" in element and not element.get("isDeleted")


def _without_repeats(values: dict[str, Any]) -> dict[str, Any]:
    """Without texts that stand in the same object before, under a key like theirs: "text" and "textHtml"."""
    keys: dict[str, str] = {}
    kept = {}
    for key, value in values.items():
        words = " ".join(value.split()) if isinstance(value, str) else ""
        name, before = key.casefold(), keys.get(words, "")
        if not words or not before or (name not in before and before not in name):
            kept[key] = value
            keys[words] = name
    return kept
