"""What a parsed query consists of. Frozen values without behaviour; the parser makes them, the search uses them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

AnyOf = tuple[str, ...]
"""Alternatives, of which one has to hold."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One word; or the words of a quoted phrase, side by side; or with `prefix` the beginning of a word."""

    text: str
    phrase: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class QueryFilters:
    """Conditions on documents: every one that is set has to hold.

    title, path: groups, each of alternatives. A title contains a text as whole words (`heat*`: the beginning of
    one), a path anywhere or as a glob.
    authors: words of one of the authors, as of a title; "=Ann Lee" is the whole name. tags: whole ones (`proj*`: the
        beginning of one).
    types: names that `document_type` knows. languages: ISO 639-1 codes. collections: names.
    after, before: the first day, and the day after the last.
    recognised: whether text was recognised in its pictures; None where it does not matter.
    """

    title: tuple[AnyOf, ...] = ()
    path: tuple[AnyOf, ...] = ()
    types: AnyOf = ()
    languages: AnyOf = ()
    authors: tuple[AnyOf, ...] = ()
    tags: tuple[AnyOf, ...] = ()
    collections: AnyOf = ()
    not_title: tuple[str, ...] = ()
    not_path: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    not_collections: tuple[str, ...] = ()
    after: date | None = None
    before: date | None = None
    recognised: bool | None = None

    @property
    def any(self) -> bool:
        """Whether any condition is set."""
        return self != QueryFilters()


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query as it was understood.

    source: as typed.
    plain: the words alone, for the model: phrases without their quotes, no operators, no excluded words. Empty when
        there are only filters.
    optional: plain words; each raises the score.
    required: groups; of each at least one clause must match.
    excluded: none of these may match.
    """

    source: str
    plain: str
    optional: tuple[Clause, ...] = ()
    required: tuple[tuple[Clause, ...], ...] = ()
    excluded: tuple[Clause, ...] = ()
    filters: QueryFilters = field(default_factory=QueryFilters)

    @property
    def scored(self) -> tuple[Clause, ...]:
        """All that raises the score: what is required, and plain words; those side by side in one text, since a date or
        a number may be several of them."""
        found: list[Clause] = []
        for clause in self.optional:
            if found and not clause.prefix and not found[-1].prefix:
                found[-1] = Clause(f"{found[-1].text} {clause.text}")
            else:
                found.append(clause)
        return (*(clause for group in self.required for clause in group), *found)

    @property
    def only_filters(self) -> bool:
        """Whether no words are searched for: the documents that the filters let through are listed, newest first."""
        return not self.plain
