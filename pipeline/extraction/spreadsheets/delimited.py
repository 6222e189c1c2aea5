"""Tables as texts: values between commas, semicolons, tabs or bars. Pure; runs in the worker processes."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.extraction.table_text import Cell, Row, blocks, line

_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 65_536  # characters that decide
_SAMPLE_ROWS = 300
_REGULAR = 0.8  # of the rows have as many values as most
_MAX_FIELD = 10_000_000  # characters
_ENDLESS = 100_000  # characters of a field: a lone quote has swallowed the rows after it
_SEPARATOR_LINE = re.compile(r"\A\s*sep=(.)\r?\n")
_NUMERIC = re.compile(
    r"[-+]?[$€£¥]?\s?[-+]?\d[\d.,' ]*\s?[%€$£¥]?|[-+]?\d+(?:\.\d+)?[eE][-+]?\d+"
    r"|\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[T ].*)?"
    r"|\d{1,2}:\d\d(?::\d\d)?.{0,6}|true|false",
    re.IGNORECASE,
)
_CLOCK_END = re.compile(r"\d\d:\d\d:\d\d\Z")
_SENTENCE = re.compile(r"[a-z]{2}[.!?](?:\s|\Z)")


@dataclass(frozen=True)
class Dialect:
    """`start` is the offset where the table starts; `quoted` whether quotation marks enclose values."""

    separator: str
    start: int = 0
    quoted: bool = True
    escaped: bool = False


def dialect(text: str) -> Dialect | None:
    """How the table in a text is written; None for a text that is no table."""
    start, separators = 0, list(_SEPARATORS)
    if named := _SEPARATOR_LINE.match(text):
        start, separators = named.end(), [named[1]]
    sample = text[start : start + _SAMPLE]
    escaped = '\\"' in sample and '""' not in sample
    best: tuple[float, Dialect] | None = None
    for separator in separators:
        if separator not in sample:
            continue
        for quoted in (sample.count('"') % 2 == 0, sample.count('"') % 2 == 1):
            tried = Dialect(separator, start, quoted, escaped and quoted)
            score = _score(sample, tried, whole=start + _SAMPLE >= len(text))
            if score and (best is None or score > best[0]):
                best = score, tried
            if score or '"' not in sample:
                break  # a lone quotation mark encloses nothing
    return best[1] if best else None


def markdown(text: str, found: Dialect) -> str:
    """The table as Markdown, with its header row again before every few rows. Raises csv.Error."""
    return "\n\n".join(blocks(_rows(text, found)))


def _rows(text: str, found: Dialect) -> Iterator[Row]:
    for number, values in enumerate(_records(text, found), 1):
        cells = {}
        for column, value in enumerate(values):
            if shown := line(value if found.quoted else value.strip().strip('"')):
                cells[column] = Cell(shown, not _NUMERIC.fullmatch(shown[:80]))
        if cells:
            yield Row(number, cells)


def _records(text: str, found: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_FIELD)
    return csv.reader(
        io.StringIO(text[found.start :], newline=""),
        delimiter=found.separator,
        quoting=csv.QUOTE_MINIMAL if found.quoted else csv.QUOTE_NONE,
        doublequote=not found.escaped,
        escapechar="\\" if found.escaped else None,
        skipinitialspace=True,
    )


def _score(sample: str, tried: Dialect, whole: bool) -> float:
    """How well the sample reads as a table, 0 if it does not: regular rows first, then the number of columns."""
    try:
        rows = list(itertools.islice(_records(sample, replace(tried, start=0)), _SAMPLE_ROWS))
    except csv.Error:
        return 0
    if not whole and len(rows) < _SAMPLE_ROWS:
        rows = rows[:-1]  # the sample may end within it
    rows = [row for row in rows if any(value.strip() for value in row)]
    if any(len(value) > _ENDLESS or value.count("\n") > 200 for row in rows for value in row):
        return 0
    counts = Counter(len(row) for row in rows if len(row) > 1)
    if not counts:
        return 0
    columns, times = counts.most_common(1)[0]
    preamble = next((at for at, row in enumerate(rows) if len(row) == columns), 0)
    regular = times / (len(rows) - min(preamble, 10))
    if regular < _REGULAR or (len(rows) < 2 and columns < 3) or _is_prose(rows, columns):
        return 0
    return regular * 1000 + min(columns, 500)


def _is_prose(rows: list[list[str]], columns: int) -> bool:
    """Whether the separators are the commas of sentences, or those in the times of a log."""
    if columns > 4:
        return False
    full = [row for row in rows if len(row) == columns]
    if columns == 2 and 2 * sum(bool(_CLOCK_END.search(row[0])) for row in full) > len(full):
        return True
    sentences = sum(
        len(" ".join(row).split()) > 6 and bool(_SENTENCE.search(row[-1])) and row[1][:1].islower()
        for row in full
    )
    return 2 * sentences > len(full)
