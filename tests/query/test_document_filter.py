"""Which documents satisfy filters, field by field."""

from array import array
from datetime import UTC, date, datetime

import pytest

from semantik.core.document_types import DOCUMENT_TYPES, document_type
from semantik.core.models import Filters
from semantik.query import DocumentColumns, document_day, matching, merged, parse

PDF, WORD, TEXT = "application/pdf", "application/msword", "text/plain"
# path, part, title, mime, language, file's day, stated date
DOCUMENTS = [
    ("/home/ilse/Boiler/Manual.PDF", None, "Über den Kessel", PDF, "de", "2024-05-01", "2019-03-02"),
    ("/home/ilse/notes/draft [1].txt", None, "Heat-pump notes", TEXT, "en", "2024-05-01", None),
    ("/home/ilse/letters.zip#2024/may.doc", "2024/may.doc", "may", WORD, None, "2025-02-28", "2024-05"),
    ("/srv/Cafe\u0301/menü.md", None, "热泵系统 v1.2", "text/markdown", "zh", "2026-01-01", "around 1990"),
]


def columns() -> DocumentColumns:
    paths, parts, titles, mimes, languages, changed, stated = zip(*DOCUMENTS, strict=True)
    modified = [int(datetime.fromisoformat(f"{day}T12:00+00:00").timestamp() * 1e9) for day in changed]
    days = [document_day(text, ns) for text, ns in zip(stated, modified, strict=True)]
    return DocumentColumns(
        list(paths), list(parts), list(titles), list(mimes), list(languages), array("q", modified), array("q", days),
        recognised=bytearray([0, 1, 0, 0]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("title:uber", [0]), ("title:ÜBER", [0]), ("title:kess", []), ("title:kess*", [0]), ('title:"heat pump"', [1]),
        ('title:"pump heat"', []), ("title:heat-pump", [1]), ("title:热泵", [3]), ("title:泵", [3]),
        ("title:v1.2", [3]),
        ("title:may OR title:notes", [1, 2]), ("title:heat title:notes", [1]), ("-title:notes", [0, 2, 3]),
        ("path:boiler", [0]), ("path:ILSE", [0, 1, 2]), ("path:café", [3]), ("path:*.pdf", [0]), ("path:2024/*", [2]),
        ("path:[1]", [1]), ("path:*[1]*", [1]), (r"path:ilse\notes", [1]), ("path:/srv/*", [3]), ("path:srv/*", [3]),
        ("path:/ilse/*", []), ("-path:ilse", [3]), ("path:ilse -path:*.doc -path:notes", [0]),
        ("path:boiler OR path:srv", [0, 3]), ("type:pdf", [0]), ("type:.pdf", [0]), ("type:word", [2]),
        ("type:pdf,word", [0, 2]), ("type:text/*", [1, 3]), ("type:text/plain", [1]), ("type:md", [3]),
        ("-type:pdf", [1, 2, 3]), ("-type:text -type:pdf", [2]), ("lang:de", [0]), ("lang:de,en", [0, 1]),
        ("-lang:de", [1, 2, 3]), ("after:2024", [1, 2, 3]), ("after:2024-05-01", [1, 2, 3]), ("after:2024-05-02", [3]),
        ("before:2024-05", [0]), ("before:2024-05-01", [0]), ("after:2019 before:2020", [0]), ("after:2026", [3]),
        ("-after:2024", [0]), ("type:pdf after:2025", []), ("is:recognised", [1]), ("-is:recognised", [0, 2, 3]),
    ],
)  # fmt: skip
def test_typed_filters(typed: str, expected: list[int]) -> None:
    filters = merged(Filters(), parse(typed).filters)
    assert list(matching(columns(), filters)) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [0, 1, 2, 3]),
        (Filters(extensions=(".pdf", ".doc")), [0, 2]),
        (Filters(path_glob="may.*"), [2]),
        (Filters(path_glob="Manual.*"), [0]),
        (Filters(path_glob="manual.*"), []),
        (Filters(path_glob="/srv/*"), [3]),
        (Filters(path_glob="*.doc", extensions=(".pdf",)), []),
        (Filters(modified_after=datetime(2025, 2, 28, 12, tzinfo=UTC)), [2, 3]),
        (Filters(modified_before=datetime(2025, 2, 28, 12, tzinfo=UTC)), [0, 1]),
        (Filters(types=(("pdf", "word"), ("word", "text"))), [2]),
    ],
)
def test_filters_of_requests(filters: Filters, expected: list[int]) -> None:
    assert list(matching(columns(), filters)) == expected


def test_typed_filters_and_those_of_a_request_all_have_to_hold() -> None:
    given = Filters(types=(("pdf",),), after=date(2020, 1, 1), path_glob="*.pdf")
    both = merged(given, parse("type:word after:2019 before:2021 title:a").filters)
    assert both.types == (("pdf",), ("word",))
    assert (both.after, both.before) == (date(2020, 1, 1), date(2021, 1, 1))
    assert (both.path_glob, both.titles) == ("*.pdf", (("a",),))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2003", date(2003, 1, 1)), ("2003-07", date(2003, 7, 1)), ("2003-07-09T23:30:00-08:00", date(2003, 7, 9)),
        ("2003-02-31", date(1970, 1, 2)), ("yesterday", date(1970, 1, 2)), (None, date(1970, 1, 2)),
        ("", date(1970, 1, 2)),
    ],
)  # fmt: skip
def test_the_day_of_a_document(stated: str | None, expected: date) -> None:
    assert document_day(stated, 86_400 * 10**9) == expected.toordinal()


def test_document_types_are_named_in_many_ways() -> None:
    assert document_type("Excel") == document_type("sheet") == DOCUMENT_TYPES["spreadsheet"]
    assert document_type("docx") == document_type(".DOCX")
    assert (
        document_type("string")
        is document_type("error/")
        is document_type("")
        is document_type("./x")
        is None
    )
