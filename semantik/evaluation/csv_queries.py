"""Reads questions with the paths that should be found from a CSV file. Reads a file; knows no server."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from semantik.core.errors import Invalid
from semantik.evaluation.judged_set import JudgedQuery, JudgedSet, Judgment

_QUESTION = {"question", "query", "text"}
_PATH = {"path", "expected", "expected path", "expected_path", "document", "file"}
_GRADE = {"grade", "score", "relevance"}
_DELIMITERS = ",;\t"
_HOW = "Each line is: question, path, and a grade if you like."


def read_csv(path: Path) -> JudgedSet:
    """Queries of lines `question,path[,grade]`; lines with the same question name several documents of it.

    A first line with the names of the columns may be there, and gives their order. Commas, semicolons and tabs
    separate. Raises Invalid with the number of the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is no UTF-8. Save it as UTF-8, in a spreadsheet as “CSV UTF-8”.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: tuple[int, int, int | None] = (0, 1, 2)
    judged: dict[str, dict[str, float]] = {}
    is_first = True
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if is_first and (named := _columns(cells)):
                columns = named
            else:
                question, expected, grade = _row(cells, columns, f"{path}, line {lines.line_num}")
                judged.setdefault(question, {})[expected] = grade
            is_first = False
    except csv.Error as error:
        raise Invalid(f"{path}, line {lines.line_num}: {error}. Double a quote inside a cell.") from error
    if not judged:
        raise Invalid(f"{path} has no questions. {_HOW}")
    queries = tuple(
        JudgedQuery(str(number), question, tuple(Judgment(*each) for each in expected_paths.items()))
        for number, (question, expected_paths) in enumerate(judged.items(), 1)
    )
    return JudgedSet(path.stem, queries)


def _columns(cells: list[str]) -> tuple[int, int, int | None] | None:
    """The columns of question, path and grade if the line names them."""
    names = [cell.strip().lower() for cell in cells]
    places = [
        next((at for at, name in enumerate(names) if name in known), None)
        for known in (_QUESTION, _PATH, _GRADE)
    ]
    question, expected, grade = places
    return None if question is None or expected is None else (question, expected, grade)


def _row(cells: list[str], columns: tuple[int, int, int | None], where: str) -> tuple[str, str, float]:
    """A question, the path expected, and its grade. Raises Invalid."""
    question, expected = (cells[at].strip() if at < len(cells) else "" for at in columns[:2])
    if not question or not expected:
        raise Invalid(f"{where}: {'the path' if question else 'the question'} is missing. {_HOW}")
    at = columns[2]
    written = cells[at].strip() if at is not None and at < len(cells) else ""
    try:
        grade = float(written or 1)
    except ValueError as error:
        raise Invalid(f"{where}: the grade is a number above 0, not {written!r}.") from error
    if not 0 < grade < float("inf"):
        raise Invalid(f"{where}: the grade is a number above 0, not {written!r}.")
    return question, expected, grade
