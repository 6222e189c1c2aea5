"""The language of a text, from its script, its most frequent short words and its special letters. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

import regex

from semantik.analysis.language_profiles import ARABIC, CYRILLIC, DEVANAGARI, LATIN, LETTERS

_SAMPLE = 3000  # characters; more do not change the answer
_WORD = regex.compile(r"[\p{L}\p{M}]+")
# A script that stands for one language, or for those that its words tell apart.
_SCRIPTS: tuple[tuple[str, str | Mapping[str, str]], ...] = (
    ("Latin", LATIN), ("Cyrillic", CYRILLIC), ("Arabic", ARABIC), ("Devanagari", DEVANAGARI), ("Han", "zh"),
    ("Hiragana", "ja"), ("Katakana", "ja"), ("Hangul", "ko"), ("Thai", "th"), ("Lao", "lo"), ("Khmer", "km"),
    ("Myanmar", "my"), ("Hebrew", "he"), ("Greek", "el"), ("Armenian", "hy"), ("Georgian", "ka"), ("Bengali", "bn"),
    ("Tamil", "ta"), ("Telugu", "te"), ("Gujarati", "gu"), ("Kannada", "kn"), ("Malayalam", "ml"), ("Gurmukhi", "pa"),
    ("Sinhala", "si"), ("Ethiopic", "am"),
)  # fmt: skip
_LETTER = regex.compile("|".join(rf"(?P<{name}>\p{{{name}}}+)" for name, _ in _SCRIPTS))
_LANGUAGES = dict(_SCRIPTS)
_JAPANESE_SHARE = 0.1  # of kana: Japanese has a third at least, Chinese none but in names
_ENOUGH = 1.3  # what the words and letters of the likeliest language must weigh,
_PER_WORD = 0.06  # with so much for each word of the sample,
_AHEAD = 1.1  # and so many times the weight of the next
# Letters of several languages, for the one of them that is likeliest where words say nothing.
_COMMON_LETTERS = (("de", "äöü"), ("fr", "éèçâ"), ("es", "áíóú"), ("sv", "å"))
_HINTS = {letter: language for language, letters in _COMMON_LETTERS for letter in letters}
_HINT = 0.4
_NEARLY = 0.8  # of the weight of the likeliest: the second is taken, too


def _weights(profiles: Mapping[str, str]) -> dict[str, list[tuple[str, float]]]:
    """What each word says for each language: less, the more of the languages have it."""
    owners: dict[str, list[str]] = {}
    for language, words in profiles.items():
        for word in dict.fromkeys(words.split()):
            owners.setdefault(word, []).append(language)
    return {word: [(each, 1 / len(having) ** 0.5) for each in having] for word, having in owners.items()}


_WORDS = {id(profiles): _weights(profiles) for _, profiles in _SCRIPTS if not isinstance(profiles, str)}
_SPECIAL = {
    letter: [each for each in LETTERS if letter in LETTERS[each]] for letter in "".join(LETTERS.values())
}
_SPECIAL_LETTER = re.compile("[" + "".join(_SPECIAL) + "]")


def detect_language(text: str) -> str | None:
    """The language of a text (ISO 639-1), or None when it is too short or too mixed to say; always the same answer."""
    sample = text[:_SAMPLE]
    script = _script(sample)
    if script is None:
        return None
    language = _LANGUAGES[script]
    return language if isinstance(language, str) else _by_words(sample.lower(), language)


def _script(sample: str) -> str | None:
    """The script of most letters; kana are few in a Japanese text full of Han characters."""
    if sample.isascii():
        return "Latin"
    counts: Counter[str] = Counter()
    for found in _LETTER.finditer(sample):
        assert found.lastgroup is not None
        counts[found.lastgroup] += found.end() - found.start()
    if not counts:
        return None
    kana = counts["Hiragana"] + counts["Katakana"]
    # A word of a script without spaces has two letters, one of Latin five.
    for name in ("Han", "Hangul", "Hiragana", "Katakana"):
        counts[name] *= 2
    (script, most), *_ = counts.most_common(1)
    if most * 2 <= counts.total():
        east_asian = counts["Han"] + 2 * kana
        return "Hiragana" if kana and east_asian * 2 > counts.total() else None
    if script == "Han" and kana > _JAPANESE_SHARE * (kana + counts["Han"] / 2):
        return "Hiragana"
    return script


def likely_languages(text: str) -> tuple[str, ...]:
    """The one or two languages that a question is likeliest in, of which a few words say little; English at worst.

    Wrong stems cost a question less than none: they are forms beside the words.
    """
    if (language := detect_language(text)) is not None:
        return (language,)
    script = _script(text[:_SAMPLE]) or "Latin"
    known = _LANGUAGES[script]
    if isinstance(known, str):
        return (known,)
    sample = text[:_SAMPLE].lower()
    weights = _weigh(_WORD.findall(sample), sample, known)
    for letter in sample if script == "Latin" else ():
        if letter in _HINTS:
            weights[_HINTS[letter]] += _HINT
    best = _heaviest(weights)
    if not best:
        return (next(iter(known)),)
    return tuple(language for language, weight in best if weight >= _NEARLY * best[0][1])


def _weigh(words: list[str], sample: str, profiles: Mapping[str, str]) -> defaultdict[str, float]:
    known = _WORDS[id(profiles)]
    weights: defaultdict[str, float] = defaultdict(float)
    for word, count in Counter(words).items():
        for language, weight in known.get(word, ()):
            weights[language] += weight * count**0.7
    for letter, count in Counter(_SPECIAL_LETTER.findall(sample)).items():
        for language in _SPECIAL[letter]:
            if language in profiles:
                weights[language] += 0.7 * count**0.7 / len(_SPECIAL[letter]) ** 0.5
    return weights


def _by_words(sample: str, profiles: Mapping[str, str]) -> str | None:
    words = _WORD.findall(sample)
    found = _heaviest(_weigh(words, sample, profiles))
    if not found:
        return None
    (best, most), (_, second) = (*found, ("", 0.0))[:2]
    return best if most >= _ENOUGH + _PER_WORD * len(words) ** 0.7 and most >= _AHEAD * second else None


def _heaviest(weights: Mapping[str, float]) -> list[tuple[str, float]]:
    """The two languages of most weight, and of equal ones the first in the profiles."""
    return sorted(weights.items(), key=lambda each: -each[1])[:2]
