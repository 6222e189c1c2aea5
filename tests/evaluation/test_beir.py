"""Judged sets in BEIR form: what is read, and how an error in a file is described."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semantik.core.errors import Invalid
from semantik.evaluation.beir import read_beir
from semantik.evaluation.judged_set import Judgment

_CORPUS = [
    {"_id": "d1", "title": "Ferry", "text": "It sails at seven."},
    {"_id": "d2", "text": "The lighthouse has two lamps."},
    {"_id": 3, "title": None, "text": "Herring."},
]
_QUERIES = [
    {"_id": "q1", "text": "When does it sail?"},
    {"_id": "q2", "text": "lamps"},
    {"_id": "q3", "text": "cod"},
]
_QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t3\t1\nq2\td2\t1\nq3\td1\t0\n"


def write_set(folder: Path, corpus: str = "", queries: str = "", qrels: str = _QRELS) -> Path:
    """A judged set of three documents and queries, with other contents of its files where they are given."""
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(corpus or "".join(json.dumps(row) + "\n" for row in _CORPUS))
    (folder / "queries.jsonl").write_text(queries or "".join(json.dumps(row) + "\n" for row in _QUERIES))
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_documents_queries_and_grades_are_read(tmp_path: Path) -> None:
    judged = read_beir(write_set(tmp_path / "harbour"))
    assert judged.name == "harbour"
    assert judged.documents is not None
    assert [(each.id, each.title) for each in judged.documents] == [("d1", "Ferry"), ("d2", ""), ("3", "")]
    assert [(each.id, each.judgments) for each in judged.queries] == [
        ("q1", (Judgment("d1", 2.0), Judgment("3", 1.0))),
        ("q2", (Judgment("d2", 1.0),)),
    ]


def test_judgments_of_trec_eval_are_read(tmp_path: Path) -> None:
    judged = read_beir(write_set(tmp_path / "set", qrels="q1\t0\td1\t1\n"))
    assert judged.queries[0].judgments == (Judgment("d1", 1.0),)


def test_one_of_several_splits_is_chosen(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "qrels" / "dev.tsv").write_text("q2\td2\t1\n")
    assert [each.id for each in read_beir(folder).queries] == ["q1", "q2"]
    assert [each.id for each in read_beir(folder, "dev").queries] == ["q2"]
    with pytest.raises(Invalid, match=r"has the judgments dev, test. Choose one of them with --split"):
        read_beir(folder, "train")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"corpus": '{"_id": "a", "text": "x"}\n{broken\n'}, r"corpus.jsonl, line 2: this is no JSON"),
        ({"corpus": '{"_id": "a"}\n'}, r'corpus.jsonl, line 1: "text" must be a text'),
        ({"corpus": '["a"]\n'}, r"corpus.jsonl, line 1: expected a JSON object"),
        ({"corpus": '{"_id": "a", "text": "x", "title": 5}\n'}, r'line 1: "title" must be a text'),
        (
            {"queries": '\n{"_id": "q1", "text": "x"}\n{"_id": "q1", "text": "y"}\n'},
            r'line 3: the _id "q1" occurs twice',
        ),
        (
            {"qrels": "query-id\tcorpus-id\tscore\nq1 d1 1\n"},
            r"test.tsv, line 2: expected query-id, corpus-id, score",
        ),
        ({"qrels": "q1\td1\tvery\n"}, r"test.tsv, line 1: expected .* the score is a number"),
        ({"qrels": "q9\td1\t1\n"}, r'line 1: there is no query "q9" in queries.jsonl'),
        ({"qrels": "q1\td9\t1\n"}, r'line 1: there is no document "d9" in corpus.jsonl'),
        ({"qrels": "q1\td1\t0\n"}, r"has no judgment above 0"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read_beir(write_set(tmp_path / "set", **files))


def test_missing_files_are_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(Invalid, match=r"qrels has no \.tsv file"):
        read_beir(folder)
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(Invalid, match=r"corpus.jsonl cannot be read: No such file"):
        read_beir(folder)
    with pytest.raises(Invalid, match="is not a folder"):
        read_beir(tmp_path / "nowhere")


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set")
    with (folder / "corpus.jsonl").open("ab") as file:
        file.write(b'{"_id": "z", "text": "\xff"}\n')
    with pytest.raises(Invalid, match="UTF-8"):
        read_beir(folder)
