"""Authors and tags as documents and users write them, in one form. Pure.

A form for people is kept as it was written; a key is what two spellings of the same have in common.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from email.utils import getaddresses

MAX_TAGS, MAX_TAG = 100, 100  # of one document; characters of one
_MAX_AUTHORS, _MAX_AUTHOR = 50, 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HARD = re.compile(r"[;\n\r|]+|\s+&\s+|\s+(?:and|und|et|y)\s+", re.IGNORECASE)
_ADDRESS = re.compile(r"<[^<>\s]+@[^<>\s]+>|\A\s*[^<>\s,;]+@[^<>\s,;]+\s*\Z")


def split_authors(text: str | None) -> tuple[str, ...]:
    """The persons that one text names: "Ann Lee; Bo Ek", "Ann Lee and Bo Ek", "Ann Lee <ann@x.org>, bo@x.org".

    A comma separates persons only between full names: "Lee, Ann" is one person.
    """
    if not text:
        return ()
    if _ADDRESS.search(text):
        return clean_authors(name or address for name, address in getaddresses([text]))
    found: list[str] = []
    for part in _HARD.split(text):
        names = [name.strip() for name in part.split(",")]
        found += names if all(" " in name for name in names) else [part]
    return clean_authors(found)


def clean_authors(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, on one line; those that are too long are cut, and the first of very many are kept."""
    lines = (_line(name).strip(" ,;")[:_MAX_AUTHOR] for name in names)
    return _each_once(lines, _MAX_AUTHORS)


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, on one line, without "#" before, "*" after and commas in it, which filters could not name.

    Too long ones are left out, as are those after very many.
    """
    lines = (_line(tag.replace(",", " ")).lstrip("#").rstrip("*").strip() for tag in tags)
    return _each_once((line for line in lines if len(line) <= MAX_TAG), MAX_TAGS)


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of a list as people type it: between commas or semicolons; with neither, the whole is one."""
    return clean_tags(re.split(r"[,;\n，；、]", text))


def tag_key(tag: str) -> str:
    """What spellings of one tag have in common: case, width and accents' composition do not matter."""
    return unicodedata.normalize("NFKC", _line(tag).lstrip("#").strip()).casefold()


def merged_tags(*groups: Sequence[str]) -> tuple[str, ...]:
    """All tags of several lists, each once, in the spelling that comes first."""
    return _each_once((tag for group in groups for tag in group), MAX_TAGS * len(groups))


def _line(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


def _each_once(texts: Iterable[str], most: int) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for text in texts:
        if text and any(character.isalnum() for character in text):
            found.setdefault(tag_key(text), text)
            if len(found) >= most:
                break
    return tuple(found.values())
