"""Questions and expected paths from CSV files as people and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantik.core.errors import Invalid
from semantik.evaluation.csv_queries import read_csv
from semantik.evaluation.judged_set import Judgment


def _read(tmp_path: Path, text: str) -> list[tuple[str, tuple[Judgment, ...]]]:
    path = tmp_path / "questions.csv"
    path.write_text(text, "utf-8")
    return [(each.text, each.judgments) for each in read_csv(path).queries]


def test_questions_without_a_header_are_read(tmp_path: Path) -> None:
    assert _read(tmp_path, "When does it sail?,ferry.txt\n\nlamps,docs/*.md,2\n") == [
        ("When does it sail?", (Judgment("ferry.txt"),)),
        ("lamps", (Judgment("docs/*.md", 2.0),)),
    ]


def test_a_header_gives_the_order_of_columns(tmp_path: Path) -> None:
    text = "\ufeffPath;Grade;Question\nferry.txt;3;“When, then?”\nport.txt;;“When, then?”\n"
    assert _read(tmp_path, text) == [
        ("“When, then?”", (Judgment("ferry.txt", 3.0), Judgment("port.txt", 1.0)))
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no questions. Each line is: question, path"),
        ("question,path\n", "has no questions"),
        ("When?,a.txt\nWhere?\n", "line 2: the path is missing"),
        (",a.txt\n", "line 1: the question is missing"),
        ("When?,a.txt,much\n", "line 1: the grade is a number above 0, not 'much'"),
        ("When?,a.txt,0\n", "line 1: the grade is a number above 0, not '0'"),
        ('When?,"a.txt\n', "line 1: unexpected end of data. Double a quote"),
    ],
)
def test_an_error_names_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        _read(tmp_path, text)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_bytes("Größe,a.txt\n".encode("cp1252"))
    with pytest.raises(Invalid, match="Save it as UTF-8"):
        read_csv(path)
