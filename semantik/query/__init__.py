"""The query language: what a person types becomes words, phrases and filters. Pure; nothing typed is an error."""

from semantik.query.merge import merged
from semantik.query.model import AnyOf, Clause, ParsedQuery, QueryFilters
from semantik.query.parser import parse

__all__ = ["AnyOf", "Clause", "ParsedQuery", "QueryFilters", "merged", "parse"]
