"""Reads the query language. Pure. Whatever is not in the language is plain words: `parse` never raises.

The language is described in docs/reference/query-language.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from semantik.query.lexer import DOUBLE, Piece, pieces
from semantik.query.model import AnyOf, Clause, ParsedQuery, QueryFilters
from semantik.query.values import first_day, languages, properties, tags, types

_OR = "OR"
# A word that was pasted with the hyphen at the end of its line; one that has a hyphen anyway is found without it.
_BROKEN = re.compile(r"([^\W\d_]{2})[-‐\u00ad][ \t]*\r?\n\s*(?=[^\W\d_]{2})")
_AFTER_STAR = ")]},.;:!?"
# Up to here quotes are typed to search for a phrase. A longer query is a sentence, which may name or cite something.
_SHORT_WORDS, _SHORT_CHARACTERS = 8, 80


def parse(text: str) -> ParsedQuery:
    """The query as it was understood."""
    found = list(pieces(_BROKEN.sub(r"\1", text)))
    parsed = _read(text, found)
    if parsed.plain or parsed.filters.any:
        return parsed
    # An exclusion alone is something like `-Xmx512m`.
    parsed = _read(text, [Piece(each.raw, each.raw) for each in found])
    return parsed if parsed.plain else ParsedQuery(text, text.strip())


def _read(text: str, found: Sequence[Piece]) -> ParsedQuery:
    reader = _Reader()
    words = " ".join(piece.raw for piece in found if piece.key is None)  # filters make no sentence
    short = len(words.split()) <= _SHORT_WORDS and len(words) <= _SHORT_CHARACTERS
    in_earnest = short or any(piece.text == _OR for piece in found)
    for item in _joined([_item(piece, in_earnest) for piece in found]):
        reader.add(item)
    return reader.result(text)


@dataclass(frozen=True, slots=True)
class _Item:
    """Of a query: a word or phrase (`key` None), a filter, or what only stands in `plain` (`clauses` empty)."""

    plain: str
    clauses: tuple[Clause, ...] = ()
    negated: bool = False
    is_or: bool = False
    key: str | None = None
    values: AnyOf = ()
    day: date | None = None
    joined: bool = False

    @property
    def may_join(self) -> bool:
        return not self.negated and bool(self.clauses or (self.key and self.values))


def _item(piece: Piece, in_earnest: bool) -> _Item:
    """`in_earnest`: whatever is in quotes is a phrase; else only several words in double quotes are."""
    if piece.key is not None and (made := _filter(piece, piece.key)):
        return made
    text = piece.text if piece.key is None else piece.raw[piece.negated :]
    plain = " ".join(text.split())
    if not any(char.isalnum() for char in plain):
        return _Item("" if piece.quoted else piece.raw)
    if piece.quoted and piece.key is None:
        several = " " in plain and piece.quoted in DOUBLE
        if not (in_earnest or several or piece.negated):
            return _Item(plain, tuple(Clause(word) for word in plain.split()))
        return _Item(plain, (Clause(plain, phrase=True),), piece.negated)
    if text == _OR and not piece.negated:
        return _Item(text, (Clause(text),), is_or=True)
    bare = text.rstrip(_AFTER_STAR)
    stem = bare.rstrip("*")
    if stem != bare and stem[-1:].isalnum() and "*" not in stem:
        return _Item(stem, (Clause(stem, prefix=True),), piece.negated)
    return _Item(plain, (Clause(plain),), piece.negated)


def _filter(piece: Piece, key: str) -> _Item | None:
    """The filter that a piece with a key is; None when its value is none for this key."""
    value = " ".join(piece.text.split())
    values: AnyOf | None = (value,)
    if key in ("after", "before"):
        day = first_day(value)
        if day is None:
            return None
        if piece.negated:
            key = "before" if key == "after" else "after"
        return _Item("", key=key, day=day)
    if key == "type":
        values = types(value)
    elif key == "lang":
        values = languages(value)
    elif key == "is":
        values = properties(value)
    elif key == "tag" and any(char.isalnum() for char in value):
        values = tags(value)
    elif not any(char.isalnum() for char in value) and not (key == "path" and "/" in value):
        return None
    return _Item("", key=key, values=values, negated=piece.negated) if values else None


def _joined(items: Sequence[_Item]) -> list[_Item]:
    """The items, with each run that is joined by OR as one. An OR without such neighbours stays a word."""
    result: list[_Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        following = next((n for n in range(at, len(items)) if not items[n].is_or), len(items))
        if item.is_or and result and following < len(items) and _alike(result[-1], items[following]):
            result[-1] = _either(result[-1], items[following])
            at = following + 1
        else:
            result.append(item)
            at += 1
    return result


def _alike(left: _Item, right: _Item) -> bool:
    return left.may_join and right.may_join and left.key == right.key and not left.is_or


def _either(left: _Item, right: _Item) -> _Item:
    return _Item(
        f"{left.plain} {right.plain}".strip(),
        left.clauses + right.clauses,
        key=left.key,
        values=left.values + right.values,
        joined=True,
    )


@dataclass
class _Reader:
    """Collects items into a query."""

    plain: list[str] = field(default_factory=list)
    optional: list[Clause] = field(default_factory=list)
    required: list[tuple[Clause, ...]] = field(default_factory=list)
    excluded: list[Clause] = field(default_factory=list)
    groups: dict[str, list[AnyOf]] = field(default_factory=dict)
    excluding: dict[str, list[str]] = field(default_factory=dict)
    after: date | None = None
    before: date | None = None

    def add(self, item: _Item) -> None:
        if item.day is not None:
            if item.key == "after":
                self.after = max(self.after or item.day, item.day)
            else:
                self.before = min(self.before or item.day, item.day)
        elif item.key is not None and item.negated:
            self.excluding.setdefault(item.key, []).extend(item.values)
        elif item.key is not None:
            self.groups.setdefault(item.key, []).append(item.values)
        elif item.negated:
            self.excluded.extend(item.clauses)
        else:
            self.plain.append(item.plain)
            self._add_words(item)

    def _add_words(self, item: _Item) -> None:
        if item.joined or any(clause.phrase for clause in item.clauses):
            self.required.append(item.clauses)
        else:
            self.optional.extend(item.clauses)

    def result(self, text: str) -> ParsedQuery:
        groups, excluding = self.groups, self.excluding
        filters = QueryFilters(
            title=tuple(groups.get("title", ())),
            path=tuple(groups.get("path", ())),
            types=_flat(groups.get("type", ())),
            languages=_flat(groups.get("lang", ())),
            authors=tuple(groups.get("author", ())),
            tags=tuple(groups.get("tag", ())),
            collections=_flat(groups.get("in", ())),
            not_title=tuple(excluding.get("title", ())),
            not_path=tuple(excluding.get("path", ())),
            not_types=tuple(excluding.get("type", ())),
            not_languages=tuple(excluding.get("lang", ())),
            not_authors=tuple(excluding.get("author", ())),
            not_tags=tuple(excluding.get("tag", ())),
            not_collections=tuple(excluding.get("in", ())),
            after=self.after,
            before=self.before,
            recognised=True if "is" in groups else False if "is" in excluding else None,
        )
        words = self.optional or self.required
        # Signs alone are no query, and a model would embed them as one.
        plain = " ".join(part for part in self.plain if part) if words else ""
        return ParsedQuery(
            text, plain, tuple(self.optional), tuple(self.required), tuple(self.excluded), filters
        )


def _flat(groups: Sequence[AnyOf]) -> AnyOf:
    """One document has one type and one language: several groups can only be meant as alternatives."""
    return tuple(dict.fromkeys(value for group in groups for value in group))
