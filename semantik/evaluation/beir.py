"""Reads a judged set in BEIR form: corpus.jsonl, queries.jsonl and qrels/*.tsv. Reads files; knows no server.

Every error names the file, the line, and what is expected there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semantik.core.errors import Invalid
from semantik.evaluation.judged_set import JudgedDocument, JudgedQuery, JudgedSet, Judgment

_CORPUS, _QUERIES, _QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
_COLUMNS = ("query-id", "corpus-id", "score")
_MAX_LINE_CHARS = 50_000_000


def read_beir(folder: Path, split: str | None = None) -> JudgedSet:
    """The queries that have a judgment above 0, and all documents. `split` names a file of qrels/.

    Raises Invalid when a file is missing or has a line that cannot be understood.
    """
    if not folder.is_dir():
        raise Invalid(f"{folder} is not a folder. Name one with {_CORPUS}, {_QUERIES} and {_QRELS}/*.tsv.")
    documents = tuple(
        JudgedDocument(row["_id"], row.get("title") or "", row["text"])
        for row in _rows(folder / _CORPUS, ("title",))
    )
    texts = {row["_id"]: row["text"] for row in _rows(folder / _QUERIES, ())}
    qrels = _qrels_file(folder / _QRELS, split)
    judgments = _judgments(qrels, texts, {document.id for document in documents})
    queries = tuple(
        JudgedQuery(query, texts[query], tuple(Judgment(*each) for each in relevant.items()))
        for query, relevant in judgments.items()
    )
    if not documents:
        raise Invalid(f"{folder / _CORPUS} has no documents.")
    if not queries:
        raise Invalid(f"{qrels} has no judgment above 0, so there is nothing to measure.")
    return JudgedSet(folder.resolve().name, queries, documents)


def _qrels_file(folder: Path, split: str | None) -> Path:
    found = sorted(folder.glob("*.tsv"))
    if not found:
        raise Invalid(f"{folder} has no .tsv file. It needs one with the columns {', '.join(_COLUMNS)}.")
    wanted = [path for path in found if path.stem == (split or "test")]
    if wanted or (split is None and len(found) == 1):
        return (wanted or found)[0]
    names = ", ".join(path.stem for path in found)
    raise Invalid(f"{folder} has the judgments {names}. Choose one of them with --split.")


def _rows(path: Path, optional: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The lines of a JSONL file, with the texts `_id` and `text`, and `optional` ones. Raises Invalid."""
    seen: set[str] = set()
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or "it is nested too deeply"
            raise Invalid(f"{where}: this is no JSON ({reason}). Each line is one JSON object.") from error
        if not isinstance(row, dict):
            raise Invalid(f'{where}: expected a JSON object such as {{"_id": "1", "text": "…"}}.')
        if isinstance(row.get("_id"), int):
            row["_id"] = str(row["_id"])
        for name in ("_id", "text", *optional):
            value = row.get(name)
            if not isinstance(value, str) and not (name in optional and value is None):
                raise Invalid(f'{where}: "{name}" must be a text.')
        if row["_id"] in seen:
            raise Invalid(f'{where}: the _id "{row["_id"]}" occurs twice; each must be there once.')
        seen.add(row["_id"])
        yield row


def _judgments(path: Path, queries: Mapping[str, str], documents: set[str]) -> dict[str, dict[str, float]]:
    """The grades above 0 by query and document, in the order of the file. Raises Invalid."""
    found: dict[str, dict[str, float]] = {}
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        cells = [cell.strip() for cell in line.split("\t")]
        if number == 1 and cells[0] == _COLUMNS[0]:
            continue
        if len(cells) == len(_COLUMNS) + 1:  # as in trec_eval: query, iteration, document, grade
            cells.pop(1)
        try:
            query, document, score = cells
            grade = float(score)
        except ValueError as error:
            raise Invalid(
                f"{where}: expected {', '.join(_COLUMNS)}, separated by tabs; the score is a number."
            ) from error
        if query not in queries:
            raise Invalid(f'{where}: there is no query "{query}" in {_QUERIES}.')
        if document not in documents:
            raise Invalid(f'{where}: there is no document "{document}" in {_CORPUS}.')
        if grade > 0:
            found.setdefault(query, {})[document] = grade
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without empty ones. Raises Invalid when the file cannot be read."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as file:
            while line := file.readline(_MAX_LINE_CHARS):
                number += 1
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}, after line {number}: this is no UTF-8. Save the file as UTF-8.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
