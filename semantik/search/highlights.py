"""What is marked in a hit: the query's words, and the sentence that has most of what they are worth. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from semantik.search.hits import CharacterRange
from semantik.search.matching import Match, QueryMatcher

# It starts with one set of characters, which is searched for much faster than the beginnings of alternatives.
_SENTENCE_END = re.compile(
    r"[.!?…。！？\n](?:(?<=[.!?…])[.!?…]*[\"'”’»)\]]*\s+|(?<=[。！？])[。！？]*[」』”]?|(?<=\n)\s*\n)"
)
_MAX_SENTENCE = 600  # characters: a table or a list without full stops has no sentences


@dataclass(frozen=True)
class Highlights:
    """`found_share` is the share of what the words looked for are worth that those of the text are."""

    ranges: tuple[CharacterRange, ...]
    matched: tuple[str, ...]
    best_sentence: CharacterRange | None
    found_share: float


def highlight(text: str, matcher: QueryMatcher) -> Highlights:
    matches = matcher.find(text)
    found = {match.number for match in matches}
    return Highlights(
        _merged(matches),
        tuple(dict.fromkeys(word.typed for index, word in enumerate(matcher.words) if index in found)),
        _best_sentence(text, matches, matcher.worth),
        found_share(found, matcher),
    )


def found_share(found: Set[int], matcher: QueryMatcher) -> float:
    """The share of what the words looked for are worth that the words of these numbers are."""
    total = matcher.total_worth
    return sum(matcher.worth[index] for index in found) / total if total > 0 else 0.0


def _merged(matches: Sequence[Match]) -> tuple[CharacterRange, ...]:
    """Overlapping ranges, as those of bigrams, become one."""
    ranges: list[CharacterRange] = []
    for match in matches:
        if ranges and match.start < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], match.end))
        else:
            ranges.append((match.start, match.end))
    return tuple(ranges)


def _best_sentence(text: str, matches: Sequence[Match], worth: Sequence[float]) -> CharacterRange | None:
    """The sentence whose words of the query are worth most; None without any, or where the text is one sentence."""
    if not matches:
        return None
    best: tuple[float, CharacterRange] | None = None
    at = start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        inside = set()
        while at < len(matches) and matches[at].start < end:
            inside.add(matches[at].number)
            at += 1
        if inside:
            value = sum([worth[index] for index in inside])
            if best is None or value > best[0]:
                sentence = _stripped(text, start, end)
                if sentence[1] - sentence[0] <= _MAX_SENTENCE:
                    best = (value, sentence)
            if at == len(matches):
                break
        start = end
    return None if best is None or best[1] == _stripped(text, 0, len(text)) else best[1]


def _stripped(text: str, start: int, end: int) -> CharacterRange:
    """The piece of a text without the white space around it."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
