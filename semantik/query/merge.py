"""Puts the filters that are typed in a query and those of a request together. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from semantik.core.models import Filters
from semantik.query.model import AnyOf, QueryFilters


def merged(filters: Filters, typed: QueryFilters) -> Filters:
    """What satisfies both. `typed.collections` are no condition on documents: the caller selects by them."""
    return replace(
        filters,
        titles=filters.titles + typed.title,
        paths=filters.paths + typed.path,
        types=filters.types + _group(typed.types),
        languages=filters.languages + _group(typed.languages),
        authors=filters.authors + typed.authors,
        tags=filters.tags + typed.tags,
        not_titles=filters.not_titles + typed.not_title,
        not_paths=filters.not_paths + typed.not_path,
        not_types=filters.not_types + typed.not_types,
        not_languages=filters.not_languages + typed.not_languages,
        not_authors=filters.not_authors + typed.not_authors,
        not_tags=filters.not_tags + typed.not_tags,
        after=max(_all(filters.after, typed.after), default=None),
        recognised=filters.recognised if typed.recognised is None else typed.recognised,
        before=min(_all(filters.before, typed.before), default=None),
    )


def _group(values: AnyOf) -> tuple[AnyOf, ...]:
    return (values,) if values else ()


def _all(*days: date | None) -> list[date]:
    return [day for day in days if day is not None]
