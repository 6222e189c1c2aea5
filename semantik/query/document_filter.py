"""Decides which documents satisfy filters, by what MongoDB holds of them. Pure; runs in threads.

Documents come as columns: each condition reads one or two of them, and only of the documents that are left.
"""

from __future__ import annotations

import fnmatch
import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial

from semantik.core.document_types import DocumentType, document_type
from semantik.core.metadata import tag_key
from semantik.core.models import Filters
from semantik.query.folding import path_key, words_key, words_pattern

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_IN_DAY = 86_400 * 10**9
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)

Test = Callable[[int], bool]
"""Whether the document with this number satisfies a condition."""


@dataclass
class DocumentColumns:
    """n documents; each list has a field of all of them (see `Document`), `days` the ordinals of `document_day`.

    A document without a title has the name of its file as its title.
    """

    paths: list[str] = field(default_factory=list)
    parts: list[str | None] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    mimes: list[str | None] = field(default_factory=list)
    languages: list[str | None] = field(default_factory=list)
    modified_ns: array[int] = field(default_factory=lambda: array("q"))
    days: array[int] = field(default_factory=lambda: array("q"))
    authors: list[tuple[str, ...]] = field(default_factory=list)
    tags: list[tuple[str, ...]] = field(default_factory=list)
    recognised: bytearray = field(default_factory=bytearray)  # 1: it has text that was recognised in pictures

    def __len__(self) -> int:
        return len(self.paths)

    def extend(self, more: DocumentColumns) -> None:
        """Add other documents after these; before `title_keys` are read."""
        self.paths += more.paths
        self.parts += more.parts
        self.titles += more.titles
        self.mimes += more.mimes
        self.languages += more.languages
        self.authors += more.authors
        self.tags += more.tags
        self.modified_ns += more.modified_ns
        self.days += more.days
        self.recognised += more.recognised

    @cached_property
    def title_keys(self) -> list[str]:
        return [words_key(title) for title in self.titles]

    @cached_property
    def author_keys(self) -> list[tuple[str, ...]]:
        known = {names: tuple(map(words_key, names)) for names in set(self.authors)}
        return [known[names] for names in self.authors]

    @cached_property
    def tag_keys(self) -> list[tuple[str, ...]]:
        known = {tags: tuple(map(tag_key, tags)) for tags in set(self.tags)}
        return [known[tags] for tags in self.tags]


def document_day(stated: str | None, modified_ns: int) -> int:
    """The ordinal of the day that a document states itself (its first, where it states a month or year), in its own
    time zone; of the day in UTC when its file was changed, where it states none."""
    if stated and (found := _DATE.match(stated)):
        try:
            return date(int(found[1]), int(found[2] or 1), int(found[3] or 1)).toordinal()
        except ValueError:  # no such day
            pass
    return min(_EPOCH_DAY + modified_ns // _NS_IN_DAY, date.max.toordinal())


def matching(columns: DocumentColumns, filters: Filters) -> Sequence[int]:
    """The numbers of the documents that satisfy all that is set, ascending."""
    left: Sequence[int] = range(len(columns))
    for test in _conditions(columns, filters):
        left = [number for number in left if test(number)]
    return left


def _conditions(columns: DocumentColumns, filters: Filters) -> Iterable[Test]:
    """The cheap ones first."""
    yield from _times(columns, filters)
    if filters.recognised is not None:
        yield partial(_recognised_test, columns.recognised, filters.recognised)
    languages = columns.languages
    yield from _tests(filters.languages, filters.not_languages, partial(_language_test, languages))
    yield from _tests(filters.types, filters.not_types, partial(_type_test, columns))
    if filters.tags or filters.not_tags:
        yield from _tests(filters.tags, filters.not_tags, partial(_tag_test, columns.tag_keys))
    if filters.authors or filters.not_authors:
        yield from _tests(filters.authors, filters.not_authors, partial(_author_test, columns.author_keys))
    if filters.path_glob or filters.extensions:
        yield _glob_test(columns, filters)
    yield from _tests(filters.paths, filters.not_paths, partial(_path_test, columns.paths))
    if filters.titles or filters.not_titles:
        yield from _tests(filters.titles, filters.not_titles, partial(_title_test, columns.title_keys))


def _tests(
    groups: Sequence[Sequence[str]], excluded: Sequence[str], test: Callable[[Sequence[str], bool], Test]
) -> Iterable[Test]:
    """One for each group, and one for all that is excluded."""
    for group in groups:
        yield test(group, True)
    if excluded:
        yield test(excluded, False)


def _times(columns: DocumentColumns, filters: Filters) -> Iterable[Test]:
    days, modified = columns.days, columns.modified_ns
    if filters.after is not None:
        first = filters.after.toordinal()
        yield lambda number: days[number] >= first
    if filters.before is not None:
        end = filters.before.toordinal()
        yield lambda number: days[number] < end
    if filters.modified_after is not None:
        earliest = _nanoseconds(filters.modified_after)
        yield lambda number: modified[number] >= earliest
    if filters.modified_before is not None:
        latest = _nanoseconds(filters.modified_before)
        yield lambda number: modified[number] < latest


def _nanoseconds(moment: datetime) -> int:
    """As MongoDB is asked: whole milliseconds."""
    return (moment - _EPOCH) // timedelta(milliseconds=1) * 10**6


def _recognised_test(recognised: bytearray, expected: bool, number: int) -> bool:
    return bool(recognised[number]) == expected


def _language_test(languages: list[str | None], wanted: Sequence[str], expected: bool) -> Test:
    known = frozenset(wanted)
    return lambda number: (languages[number] in known) == expected


def _type_test(columns: DocumentColumns, names: Sequence[str], expected: bool) -> Test:
    """An unknown name is no document's type."""
    types: list[DocumentType] = [found for name in names if (found := document_type(name))]
    mimes = frozenset(mime for each in types for mime in each.mimes)
    kinds = tuple(mime for mime in mimes if mime.endswith("/"))
    endings = tuple(ending for each in types for ending in each.endings)
    paths, of = columns.paths, columns.mimes

    def test(number: int) -> bool:
        mime = of[number] or ""
        found = mime in mimes or mime.startswith(kinds) or paths[number].lower().endswith(endings)
        return found == expected

    return test


def _glob_test(columns: DocumentColumns, filters: Filters) -> Test:
    """A relative glob matches any end of the path, or of the name of a part."""
    endings = "|".join(re.escape(ending) for ending in filters.extensions)
    ending = re.compile(rf"(?si:.*(?:{endings}))\Z") if endings else None
    glob = filters.path_glob
    if glob is None or glob.startswith("/"):
        whole, below = re.compile(fnmatch.translate(glob or "*")), None
    else:
        whole = below = re.compile(fnmatch.translate(f"*/{glob}"))
    direct = re.compile(fnmatch.translate(glob)) if glob and below else None
    paths, parts = columns.paths, columns.parts

    def test(number: int) -> bool:
        path, part = paths[number], parts[number]
        if ending and not ending.match(path):
            return False
        if whole.match(path):
            return True
        return bool(part and below and direct and (direct.match(part) or below.match(part)))

    return test


def _path_test(paths: list[str], texts: Sequence[str], expected: bool) -> Test:
    plain = [spelling for text in texts if "*" not in text for spelling in _spellings(text)]
    globs = [_glob(spelling) for text in texts if "*" in text for spelling in _spellings(text)]

    def test(number: int) -> bool:
        key = path_key(paths[number])
        found = any(text in key for text in plain) or any(glob.fullmatch(key) for glob in globs)
        return found == expected

    return test


def _spellings(text: str) -> tuple[str, ...]:
    """A path of Windows has the other slash, which may also be part of a name."""
    key = path_key(text)
    return tuple(dict.fromkeys((key, key.replace("\\", "/"))))


def _glob(text: str) -> re.Pattern[str]:
    """`*` and `?` as in a shell, a slash included; a relative glob begins anywhere after a slash, or in a container."""
    pattern = fnmatch.translate(text.replace("[", "[[]"))
    return re.compile(pattern if text.startswith("/") else rf"(?s:.*[/#])?{pattern}")


def _title_test(keys: list[str], texts: Sequence[str], expected: bool) -> Test:
    patterns = [pattern for text in texts if (pattern := words_pattern(text)).strip()]
    return lambda number: any(pattern in keys[number] for pattern in patterns) == expected


def _tag_test(keys: list[tuple[str, ...]], texts: Sequence[str], expected: bool) -> Test:
    wanted = frozenset(tag_key(text) for text in texts if not text.endswith("*"))
    beginnings = tuple(tag_key(text.rstrip("*")) for text in texts if text.endswith("*"))

    def test(number: int) -> bool:
        found = any(key in wanted or (beginnings and key.startswith(beginnings)) for key in keys[number])
        return found == expected

    return test


def _author_test(keys: list[tuple[str, ...]], texts: Sequence[str], expected: bool) -> Test:
    whole = frozenset(words_key(text[1:]) for text in texts if text.startswith("="))
    patterns = [
        pattern for text in texts if not text.startswith("=") if (pattern := words_pattern(text)).strip()
    ]

    def test(number: int) -> bool:
        found = any(key in whole or any(pattern in key for pattern in patterns) for key in keys[number])
        return found == expected

    return test
