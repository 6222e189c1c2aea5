"""CSV and its relatives: separators, encodings, quotes, headers, and texts that are no tables."""

from __future__ import annotations

import random
import time

import pytest

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.readers.delimited import DelimitedReader


def _read(data: bytes, suffix: str = ".csv") -> Content:
    return DelimitedReader().read(data, formats.detect(data, suffix))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators_are_detected(separator: str) -> None:
    lines = [["Herb", "Bed", "Price"], ["Mint", "4", "1.50"], ["Sage", "5", "2.25"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    assert (
        _read(text.encode()).text
        == "| Herb | Bed | Price |\n|-|-|-|\n| Mint | 4 | 1.50 |\n| Sage | 5 | 2.25 |"
    )


def test_decimal_commas_do_not_separate() -> None:
    text = "Sorte;Preis;Straße\nMinze;5,50;Am Hügel 3\nÖl;1.200,00;Gärtnerweg 7\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert _read(text.encode(encoding)).text.splitlines()[2:] == [
            "| Minze | 5,50 | Am Hügel 3 |",
            "| Öl | 1.200,00 | Gärtnerweg 7 |",
        ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Désignation;Prix\nFenêtre à crémone;12\nÉtagère;3\n", "cp1252"),
        ("Año;Región\nEspaña;3\n", "cp1252"),
        ("Имя;Город\nАнна;Москва\nИван;Казань\n", "cp1251"),
        ("名前,場所\n佐藤,東京駅の前\n鈴木,大阪城公園\n", "shift_jis"),
        ("Nazwa;Cena\nŻółta gęś;3\nŁódź;4\n", "cp1250"),
    ],
)
def test_encodings_are_detected(text: str, encoding: str) -> None:
    expected = [word for line in text.splitlines() for word in line.replace(",", ";").split(";")]
    found = _read(text.encode(encoding)).text
    assert all(word in found for word in expected)


def test_a_line_may_name_the_separator() -> None:
    assert (
        _read(b"sep=;\r\nHerb;Use\r\nMint;tea, sauce\r\n").text
        == "| Herb | Use |\n|-|-|\n| Mint | tea, sauce |"
    )


def test_quoted_values_hold_separators_quotes_and_lines() -> None:
    assert _read(b'Herb,Use\nMint,"tea,\nsauce"\nSage,"""strong"""\n').text.splitlines()[2:] == [
        "| Mint | tea, sauce |",
        '| Sage | "strong" |',
    ]
    assert (
        '| Mint | a "fine" tea |' in _read(b'Herb,Use\nMint,"a \\"fine\\" tea"\nSage,"none, really"\n').text
    )


def test_a_lone_quotation_mark_swallows_nothing() -> None:
    rows = "".join(f"Herb {at},{at}\n" for at in range(50))
    text = _read(f'Herb,Size\nMint,"4 inches\n{rows}'.encode()).text
    assert text.count("| Herb ") >= 50


def test_the_header_stands_in_every_block() -> None:
    rows = "".join(f"Herb number {at};{at};a place in the garden\n" for at in range(500))
    blocks = _read(f"Name;Bed;Place\n{rows}".encode()).text.split("\n\n")
    assert len(blocks) > 20
    assert all(block.startswith("| Name | Bed | Place |\n|-|-|-|\n") for block in blocks)


def test_a_title_above_the_table_is_no_header() -> None:
    assert _read(b"Garden of the school\n\nHerb,Bed,Price\nMint,4,1\nDill,5,2\n").text == (
        "Garden of the school\n\n| Herb | Bed | Price |\n|-|-|-|\n| Mint | 4 | 1 |\n| Dill | 5 | 2 |"
    )


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01 10:00:00,123 INFO pump started\n2024-01-01 10:00:01,456 WARN valve open\n",
        "Dear Ann, the garden is wet,\nand so are we.\nNothing else is new, or old, here.\nYours, Bo\n",
        "mint\nsage\ndill\n",
        "[INFO] one\n[WARN] two; three\n[INFO] four\n",
    ],
)
def test_logs_letters_and_lists_stay_texts(text: str) -> None:
    content = _read(text.encode())
    assert content.text == text
    assert not content.markdown


def test_tables_are_known_by_their_suffix() -> None:
    for suffix in (".csv", ".tsv", ".tab", ".psv"):
        assert formats.detect(b"a\tb\n1\t2\n", suffix).mime == "text/csv"


def test_any_bytes_give_a_text_quickly() -> None:
    chance = random.Random(3)
    start = time.process_time()
    for _ in range(200):
        text = "".join(chance.choice('a1,;\t|"\\\n\r =') for _ in range(2000))
        assert isinstance(_read(text.encode()).text, str)
    assert isinstance(_read(b'"' + b"a,b\n" * 200_000).text, str)
    assert time.process_time() - start < 20
