"""The filters that select documents. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Filters:
    """Only documents that satisfy all that is set.

    path_glob: a glob on the path. extensions: endings of the name with their dot. modified_*: times of the file.
    titles, paths, types, languages: every group has to hold, and of a group one text: words that a title contains
        (`heat*`: the beginning of one), what a path contains or a glob that it matches, a type's name (see
        `document_type`), an ISO 639-1 code. In the fields `not_…` no text may hold.
    authors: as titles, of one of the authors; "=Ann Lee" is one whose whole name this is. tags: those that a document
        has, in any case; `proj*` is the beginning of one.
    after, before: the first day and the day after the last, of the date that a document itself states, else of its
        file's time in UTC.
    recognised: True: with text that was recognised in pictures; False: without.
    """

    path_glob: str | None = None
    extensions: tuple[str, ...] = ()
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    titles: tuple[tuple[str, ...], ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()
    types: tuple[tuple[str, ...], ...] = ()
    languages: tuple[tuple[str, ...], ...] = ()
    authors: tuple[tuple[str, ...], ...] = ()
    tags: tuple[tuple[str, ...], ...] = ()
    not_titles: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    not_types: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    after: date | None = None
    before: date | None = None
    recognised: bool | None = None

    @property
    def any(self) -> bool:
        """Whether any filter is set."""
        return self != Filters()
