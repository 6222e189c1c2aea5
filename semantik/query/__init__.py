"""The query language: what a person types becomes words, phrases and filters. Pure; nothing typed is an error."""

from semantik.query.document_filter import DocumentColumns, document_day, matching
from semantik.query.languages import language_code
from semantik.query.merge import merged
from semantik.query.model import AnyOf, Clause, ParsedQuery, QueryFilters
from semantik.query.parser import parse
from semantik.query.values import first_day

__all__ = [
    "AnyOf",
    "Clause",
    "DocumentColumns",
    "ParsedQuery",
    "QueryFilters",
    "document_day",
    "first_day",
    "language_code",
    "matching",
    "merged",
    "parse",
]
