"""A parsed query with some of its words replaced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import regex

from semantik.query import Clause, ParsedQuery
from semantik.search.hits import Correction

_NOT_LETTERS = regex.compile(r"^[^\p{L}]+|[^\p{L}\p{M}]+$")


def replaced(parsed: ParsedQuery, corrections: Sequence[Correction]) -> ParsedQuery:
    """The query that is searched for instead; phrases and excluded words stay as they are."""
    for each in corrections:
        left, _, right = each.word.partition(" ")
        optional = _join(parsed.optional, left, right, each.instead) if right else parsed.optional
        parsed = replace(
            parsed,
            plain=_replace(parsed.plain, each),
            optional=tuple(part for clause in optional for part in _parts(clause, each)),
            required=tuple(tuple(_corrected(clause, each) for clause in group) for group in parsed.required),
        )
    return parsed


def _replace(text: str, correction: Correction) -> str:
    words = r"\W+".join(regex.escape(word) for word in correction.word.split(" "))
    instead = correction.instead
    return str(
        regex.sub(rf"(?<![\p{{L}}\p{{M}}\p{{N}}]){words}(?![\p{{L}}\p{{M}}\p{{N}}])", lambda _: instead, text)
    )


def _corrected(clause: Clause, correction: Correction) -> Clause:
    if clause.phrase or clause.prefix:
        return clause
    return replace(clause, text=_replace(clause.text, correction))


def _parts(clause: Clause, correction: Correction) -> Iterable[Clause]:
    """One clause for each word of what is searched for instead."""
    corrected = _corrected(clause, correction)
    if corrected == clause:
        return [clause]
    return [replace(clause, text=text) for text in corrected.text.split()]


def _join(clauses: Sequence[Clause], left: str, right: str, instead: str) -> tuple[Clause, ...]:
    """The clauses with each `left` that is followed by `right` as one."""
    result: list[Clause] = []
    for clause in clauses:
        plain = not clause.phrase and not clause.prefix
        if plain and result and _letters(clause) == right and _letters(result[-1]) == left:
            result[-1] = replace(clause, text=instead)
        else:
            result.append(clause)
    return tuple(result)


def _letters(clause: Clause) -> str:
    return str(_NOT_LETTERS.sub("", clause.text))
