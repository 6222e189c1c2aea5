"""Tables as Markdown whose header stands in every chunk."""

from __future__ import annotations

from pipeline.extraction.table_text import BLOCK_TOKENS, Cell, Row, blocks, simple_table, tokens


def _rows(*texts: list[str], first: int = 1) -> list[Row]:
    return [
        Row(number, {at: Cell(text, not text.isdigit()) for at, text in enumerate(row) if text})
        for number, row in enumerate(texts, first)
    ]


def test_every_block_has_the_header_and_fits_into_a_chunk() -> None:
    table = _rows(["Kind", "Colour of the flower"], *([f"Herb {at}", "a pale yellow"] for at in range(100)))
    found = list(blocks(table))
    assert all(block.startswith("| Kind | Colour of the flower |\n|-|-|\n") for block in found)
    assert all(tokens(block) <= BLOCK_TOKENS + 5 for block in found)
    assert sum(block.count("Herb") for block in found) == 100


def test_a_long_table_keeps_its_header_beyond_the_rows_that_were_looked_at() -> None:
    table = _rows(["Kind", "Number"], *([f"Herb {at}", str(at)] for at in range(1000)))
    assert all(block.startswith("| Kind | Number |\n") for block in blocks(table))


def test_numbers_and_addresses_are_no_header() -> None:
    assert list(blocks(_rows(["1", "2"], ["3", "4"]))) == ["| 1 | 2 |\n| 3 | 4 |"]
    people = _rows(["ann@example.org", "Ann"], ["bo@example.org", "Bo"])
    assert list(blocks(people)) == ["| ann@example.org | Ann |\n| bo@example.org | Bo |"]
    years = _rows(["Herb", "2023", "2024"], ["Mint", "3", "4"])
    assert list(blocks(years)) == ["| Herb | 2023 | 2024 |\n|-|-|-|\n| Mint | 3 | 4 |"]


def test_a_single_column_is_lines_of_text() -> None:
    assert list(blocks(_rows(["mint"], ["# sage"], ["dill"]))) == ["mint\n\\# sage\ndill"]


def test_a_row_longer_than_a_chunk_is_lines_that_repeat_its_first_cell() -> None:
    long = " ".join(["word"] * 300)
    found = list(blocks(_rows(["Herb", "Use", "Place"], ["Mint", long, "wall"])))
    assert all(block.startswith("Herb: Mint\n") for block in found)
    assert any("Place: wall" in block for block in found)


def test_small_tables_lose_their_empty_rows() -> None:
    assert simple_table([["a", "b"], ["", ""], ["c\nd", "1"]]) == "| a | b |\n|-|-|\n| c d | 1 |"
    assert simple_table([]) == ""


def test_east_asian_texts_count_more_tokens() -> None:
    assert tokens("薄荷の葉") > tokens("mint leaf")


def test_a_header_of_two_rows_names_each_column_with_its_group() -> None:
    top = Row(1, {0: Cell("Lake"), 1: Cell("2024"), 4: Cell("2025")})
    below = Row(
        2, {at: Cell(name) for at, name in enumerate(["Pike", "Perch", "Eel", "Pike", "Perch", "Eel"], 1)}
    )
    data = [
        Row(at, {0: Cell(f"Lake {at}"), **{column: Cell(str(at * column), False) for column in range(1, 7)}})
        for at in range(3, 60)
    ]
    found = list(blocks([top, below, *data]))
    assert len(found) > 1
    assert {each.partition("\n")[0] for each in found} == {
        "| Lake | 2024 Pike | 2024 Perch | 2024 Eel | 2025 Pike | 2025 Perch | 2025 Eel |"
    }


def test_a_first_row_of_texts_is_no_second_header() -> None:
    rows = [["Lake", "Fish"], ["Mire", "Pike", "seen"], ["Tarn", "Perch", "caught"], ["Pond", "Eel", "seen"]]
    table = [Row(at, dict(enumerate(map(Cell, row)))) for at, row in enumerate(rows, 1)]
    assert next(blocks(table)).startswith("| Lake | Fish |")
