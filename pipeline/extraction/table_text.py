"""Writes a table as Markdown whose header row stands again before every few rows, so that a chunk explains itself.

Pure; knows no format of files. Runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.extraction import markdown

BLOCK_TOKENS = (
    140  # of a block of rows with its header: less than the 200 of a chunk, whose tokenizer is not known here
)
_MAX_HEADER_TOKENS = 70
_MAX_COLUMNS = 14
_SAMPLE_ROWS = 200  # that decide how a table is written
_MAX_HEADER_CELL = 200  # characters
_TOKEN = re.compile(r"[^\W\d_]{1,6}|\d{1,3}|\S")
_WIDE = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ADDRESS = re.compile(r"\S@\S|://")  # stands in records, not in headers


class Cell(NamedTuple):
    """What a cell shows; `is_text` is false for numbers, dates, truth values and errors."""

    text: str
    is_text: bool = True


class Row(NamedTuple):
    """The cells that show something, by column from 0, in order; `number` is the row's own, from 1."""

    number: int
    cells: dict[int, Cell]


@dataclass(frozen=True)
class _Header:
    columns: tuple[int, ...]
    names: dict[int, str]

    @property
    def tokens(self) -> int:
        return tokens(" ".join(self.names.values())) + 3 * len(self.columns) + 2


def tokens(text: str) -> int:
    """About how many tokens a model sees in a text."""
    return len(_TOKEN.findall(text)) + len(_WIDE.findall(text))


def blocks(rows: Iterable[Row], headers: Sequence[int] = ()) -> Iterator[str]:
    """The blocks of Markdown that a sheet becomes; a blank line goes between them.

    An empty row ends a table. The first row of a table is its header if it has texts only, or years. `headers` are
    numbers of rows that are headers for certain.
    """
    known = frozenset(headers)
    header: _Header | None = None
    table: list[Row] = []
    streaming = False
    last = -1
    for row in rows:
        if table and (row.number != last + 1 or row.number in known):
            header = yield from _written(table, header, known, streaming)
            table, streaming = [], False
        elif len(table) >= _SAMPLE_ROWS:
            header = yield from _written(table, header, known, streaming)
            table, streaming = [], True
        table.append(row)
        last = row.number
    if table:
        yield from _written(table, header, known, streaming)


def simple_table(rows: Sequence[Sequence[str]]) -> str:
    """A small table whose first row is its header, as on a slide: one block, or more if it is long."""
    numbered = [
        Row(number, {at: Cell(line(text)) for at, text in enumerate(row) if text.strip()})
        for number, row in enumerate(rows, 1)
    ]
    return "\n\n".join(blocks(_without_gaps(numbered), (1,)))


def line(text: str) -> str:
    """The text without line breaks and runs of spaces."""
    return " ".join(text.split())


def _without_gaps(rows: Sequence[Row]) -> Iterator[Row]:
    shown = (row for row in rows if row.cells)
    for number, row in enumerate(shown, 1):
        yield Row(number, row.cells)


def _written(
    table: list[Row], before: _Header | None, known: frozenset[int], goes_on: bool
) -> Generator[str, None, _Header | None]:
    """The blocks of rows without a gap; `goes_on` for the later rows of a long table. Returns their header."""
    columns = sorted({column for row in table for column in row.cells})
    if len(columns) == 1 and not (goes_on and before):
        yield from _lines([next(iter(row.cells.values())).text for row in table])
        return before
    header = before if goes_on else None
    start = 0
    if not goes_on:
        while start < len(table) - 1 and len(table[start].cells) == 1 and table[start].number not in known:
            start += 1
        yield from _lines([next(iter(row.cells.values())).text for row in table[:start]])
        first = table[start]
        grouped = len(table) > start + 2 and _is_second_header(table[start : start + 3], columns)
        if first.number in known or (
            _is_header(first, list(first.cells) if grouped else columns)
            and (before is None or start + 1 < len(table))
        ):
            names = {at: cell.text[:_MAX_HEADER_CELL] for at, cell in first.cells.items()}
            start += 1
            if grouped:
                names = _joined(names, table[start])
                start += 1
            header = _Header(tuple(columns), names)
        elif before is not None and set(columns) <= set(before.columns):
            header = before
    rest = table[start:]
    if not rest and header is not None:
        yield _row_text([header.names.get(column, "") for column in columns])
    yield from _rows(rest, header, columns)
    return header


def _is_header(row: Row, columns: Sequence[int]) -> bool:
    if len(row.cells) < 2 or 2 * len(row.cells) < len(columns):
        return False
    return all(
        _YEAR.fullmatch(cell.text)
        or (cell.is_text and len(cell.text) <= _MAX_HEADER_CELL and not _ADDRESS.search(cell.text))
        for cell in row.cells.values()
    )


def _is_second_header(rows: Sequence[Row], columns: Sequence[int]) -> bool:
    """Whether the second of three rows names the columns that the first groups, over numbers in the third:
    "Plan" and "Actual" below "2024"."""
    first, second, third = rows
    if not _is_header(second, columns) or not second.cells.keys() - first.cells.keys():
        return False
    numbers = [at for at in second.cells if at in third.cells and not third.cells[at].is_text]
    return 2 * len(numbers) > len(second.cells)


def _joined(names: dict[int, str], second: Row) -> dict[int, str]:
    """The names of the columns, each with that of its group, which stands over the first of the group."""
    joined = dict(names)
    for column, cell in second.cells.items():
        group = names.get(max((at for at in names if at <= column), default=-1), "")
        joined[column] = f"{group} {cell.text}".strip()[:_MAX_HEADER_CELL]
    return dict(sorted(joined.items()))


def _rows(rows: Sequence[Row], header: _Header | None, columns: Sequence[int]) -> Iterator[str]:
    if header is not None and _is_wide(rows, header):
        for row in rows:
            yield from _record(row, header)
        return
    top: list[str] = []
    if header is not None:
        columns = sorted({*columns, *header.columns})
        top = [
            _row_text([header.names.get(column, "") for column in columns], len(columns)),
            "|" + "-|" * len(columns),
        ]
    budget = BLOCK_TOKENS - (header.tokens if header else 0)
    block: list[str] = []
    spent = 0
    for row in rows:
        text = _row_text([row.cells[column].text if column in row.cells else "" for column in columns])
        cost = tokens(text)
        if block and spent + cost > budget:
            yield "\n".join([*top, *block])
            block, spent = [], 0
        if cost > budget and header is not None:
            yield from _record(row, header)
            continue
        block.append(text)
        spent += cost
    if block:
        yield "\n".join([*top, *block])


def _is_wide(rows: Sequence[Row], header: _Header) -> bool:
    """Whether a row reads better as lines of "column: value": the header would fill the chunk."""
    if len(header.columns) > _MAX_COLUMNS or header.tokens > _MAX_HEADER_TOKENS:
        return True
    sample = rows[:20]
    size = sum(tokens(cell.text) + 2 for row in sample for cell in row.cells.values())
    return bool(sample) and header.tokens + size / len(sample) > BLOCK_TOKENS


def _record(row: Row, header: _Header) -> Iterator[str]:
    """A row as lines of "column: value"; each block of them starts with the row's first cell."""
    lines = [
        f"{header.names[at]}: {cell.text}" if at in header.names else cell.text
        for at, cell in row.cells.items()
    ]
    block, spent = [lines[0]], tokens(lines[0])
    for text in lines[1:]:
        cost = tokens(text)
        if len(block) > 1 and spent + cost > BLOCK_TOKENS:
            yield markdown.literal("\n".join(block))
            block, spent = [lines[0]], tokens(lines[0])
        block.append(text)
        spent += cost
    yield markdown.literal("\n".join(block))


def _lines(texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield markdown.literal("\n".join(texts))


def _row_text(cells: Sequence[str], width: int = 0) -> str:
    """| a | b |, without the empty cells at its end unless there are fewer than `width`."""
    shown = list(cells)
    while len(shown) > max(width, 1) and not shown[-1]:
        shown.pop()
    return "| " + " | ".join(shown) + " |"
