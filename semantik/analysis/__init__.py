"""From a text to the words under which it is indexed and searched, in any language. Pure; runs anywhere.

The keyword index, questions and highlights all use this package, so that they agree on what a word is. It knows no
index and no query language.
"""

from semantik.analysis.function_words import is_function_word
from semantik.analysis.languages import detect_language, likely_languages
from semantik.analysis.names import is_name
from semantik.analysis.query_terms import QueryTerm, QueryWord, query_words
from semantik.analysis.stemming import stems
from semantik.analysis.terms import Terms, Token, terms, tokens

__all__ = [
    "QueryTerm",
    "QueryWord",
    "Terms",
    "Token",
    "detect_language",
    "is_function_word",
    "is_name",
    "likely_languages",
    "query_words",
    "stems",
    "terms",
    "tokens",
]
