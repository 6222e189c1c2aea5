"""Tables of a page: rows of data, and layouts."""

from __future__ import annotations

import pytest

from pipeline.extraction.html import html_to_markdown


def _text(body: str) -> str:
    return html_to_markdown(body).text


def test_a_cell_over_several_rows_stands_in_each_and_blocks_in_a_cell_are_apart() -> None:
    table = (
        "<table><caption>Landings</caption><thead><tr><th>Port</th><th colspan='2'>Catch</th></tr></thead>"
        "<tfoot><tr><td>All</td><td>9</td><td></td></tr></tfoot>"
        "<tbody><tr><td rowspan='2'>Skagen</td><td>4</td><td><p>cod</p><p>ling</p></td></tr>"
        "<tr><td>5</td><td>eel<br>dab</td></tr></tbody></table>"
    )
    assert _text(table).split("\n") == [
        "Landings",
        "",
        "| Port | Catch |  |",
        "|---|---|---|",
        "| Skagen | 4 | cod ling |",
        "| Skagen | 5 | eel dab |",
        "| All | 9 |  |",
    ]


@pytest.mark.parametrize(
    "table",
    [
        "<table role='presentation'><tr><td>{0}</td><td>{1}</td></tr><tr><td>{2}</td><td>{3}</td></tr></table>",
        "<table><tr><td>{0}</td></tr><tr><td>{1}</td></tr><tr><td>{2}{3}</td></tr></table>",
        "<table><tr><td>{0}</td><td>{1}{2}{3}</td></tr></table>",
        "<table><tr><td><h2>Head</h2>{0}</td><td>{1}</td></tr><tr><td>{2}</td><td>{3}</td></tr></table>",
    ],
)
def test_a_layout_reads_as_paragraphs(table: str) -> None:
    text = _text(table.format(*(f"<p>Part {number}.</p>" for number in range(4))))
    assert "|" not in text
    assert [line for line in text.split("\n") if line.startswith("Part")] == [f"Part {n}." for n in range(4)]


def test_a_table_inside_a_layout_keeps_its_rows() -> None:
    inner = "<table><tr><th>Dock</th><th>Boat</th></tr><tr><td>1</td><td>Alk</td></tr></table>"
    text = _text(f"<table><tr><td>Left</td><td>{inner}</td></tr></table>")
    assert text == "Left\n\n| Dock | Boat |\n|---|---|\n| 1 | Alk |"


def test_line_numbers_beside_code_are_left_out() -> None:
    code = (
        "<table class='highlighttable'><tr><td class='linenos'><pre>1\n2</pre></td>"
        "<td class='code'><pre>row()\nsteer()</pre></td></tr></table>"
    )
    assert _text(code) == "```\nrow()\nsteer()\n```"


def test_huge_spans_cost_little() -> None:
    row = "<tr><td colspan='99999' rowspan='99999'>wide</td><td>x</td></tr>"
    text = _text(f"<table><tr><th>a</th><th>b</th></tr>{row * 3000}</table>")
    assert "wide" in text
