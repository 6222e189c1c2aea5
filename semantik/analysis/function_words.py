"""Words that hold a question together and say nothing of what it is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from semantik.analysis.folding import folded
from semantik.analysis.language_profiles import CYRILLIC, LATIN

# Of questions, beside the words that are frequent in texts.
_OF_QUESTIONS = {
    "en": "i me we you any some a about should could would why whose there tell give",
    "de": "mir mich man warum wieso wo wann wohin welche welcher welches welchem wen wem gibt soll sollte muss in",
    "fr": "je me moi a à y quand pourquoi combien quels quelles qu l d c s n",
    "es": "yo me mi a cuándo cuánto cuántos cuántas dónde quién quiénes cuáles por tengo",
    "ru": "я мне мы где когда почему сколько какой какая какие какую каким кого кому чем",
}


def is_function_word(word: str, languages: Sequence[str]) -> bool:
    """Whether a folded word is one in any of the languages (ISO 639-1)."""
    return any(word in _function_words(language) for language in languages)


@cache
def _function_words(language: str) -> frozenset[str]:
    profile = LATIN.get(language) or CYRILLIC.get(language) or ""
    return frozenset(folded(word) for word in f"{profile} {_OF_QUESTIONS.get(language, '')}".split())
