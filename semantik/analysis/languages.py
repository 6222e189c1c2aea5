"""The language of a text, from its script and its most frequent short words. Pure."""

from __future__ import annotations

from collections import Counter

import regex

_LETTER = regex.compile(r"\p{L}")
_SCRIPTS = (
    ("ja", regex.compile(r"[\p{Hiragana}\p{Katakana}]")),
    ("ko", regex.compile(r"\p{Hangul}")),
    ("zh", regex.compile(r"\p{Han}")),
    ("th", regex.compile(r"\p{Thai}")),
    ("ar", regex.compile(r"\p{Arabic}")),
    ("he", regex.compile(r"\p{Hebrew}")),
    ("el", regex.compile(r"\p{Greek}")),
    ("ru", regex.compile(r"\p{Cyrillic}")),
)
_FREQUENT = {
    "en": "the of and to in is that it for was with as be by on not he are at this have from or had an",
    "de": "der die und das ist nicht ein eine zu den mit sich des auf für dem im von auch wird werden sind",
    "fr": "le la les de des et est une un du dans que pour qui sur pas au par plus avec ce sont il elle",
    "es": "el la los las de y que en un una del por con para es se no su al como más fue son",
    "it": "il di che la e un una per non sono del con della è si le gli nel dei alla da come",
    "pt": "o os de que e do da em um uma para com não por no na dos das se foi mais ao são",
    "nl": "de het een van en in is dat op te niet zijn voor met die aan er om ook als door",
}
_WORDS = {language: frozenset(words.split()) for language, words in _FREQUENT.items()}


def detect_language(text: str) -> str | None:
    """The language of a text (ISO 639-1), or None when it is too short or too mixed to say."""
    sample = text[:4000]
    letters = len(_LETTER.findall(sample))
    if letters < 2:
        return None
    for language, script in _SCRIPTS:
        if len(script.findall(sample)) > (0.2 if language == "ja" else 0.5) * letters:
            return language
    counts: Counter[str] = Counter()
    words = regex.findall(r"\p{L}+", sample.lower())
    for language, frequent in _WORDS.items():
        counts[language] = sum(word in frequent for word in words)
    (best, most), (_, second) = counts.most_common(2)
    return best if most >= 0.1 * len(words) and most > second else None
