"""XLSX workbooks: what their sheets show, their comments, hidden parts, and damaged or huge files."""

from __future__ import annotations

import time

import pytest
from support.openxml import element
from support.workbook import Book, SheetXml, row

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.spreadsheet import WorkbookReader
from pipeline.extraction.reading_options import ReadingOptions, using

_FORMAT = Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "an Excel workbook")


def _read(book: Book, hidden: bool = False) -> Content:
    with using(ReadingOptions(hidden_sheets=hidden)):
        return WorkbookReader().read(book.data(), _FORMAT)


def _one(rows: str, **other: str) -> Content:
    return _read(Book([SheetXml("Bees", rows, **other)]))


def test_cells_are_shown_by_their_formats() -> None:
    head = row(1, "Hive", "Opened", "Share", "On", "Worked", "Price")
    body = row(2, "North", 0.3125, 0.4, 45000, 1.125, -12.5, styles=(0, 1, 2, 3, 4, 5))
    book = Book(
        [SheetXml("Visits & more", head + body)], [20, 9, 14, "[h]:mm", '#,##0.00 "kr";-#,##0.00 "kr"']
    )
    assert _read(book).text == (
        "## Visits & more\n\n| Hive | Opened | Share | On | Worked | Price |\n|-|-|-|-|-|-|\n"
        "| North | 07:30 | 40% | 2023-03-15 | 27:00 | -12.50 kr |"
    )


def test_days_may_count_from_1904() -> None:
    book = Book([SheetXml("a", row(1, 43538, styles=(1,)))], ["yyyy-mm-dd"], properties='date1904="1"')
    assert _read(book).text == "## a\n\n2023-03-15"


def test_every_type_of_cell() -> None:
    strings = [
        "Q&A <1>\nline",
        "<si><r><t>rich </t></r><r><t>text</t></r><rPh sb='0' eb='1'><t>ふり</t></rPh></si>",
        "tab_x0009_end",
    ]
    cells = (
        '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="b"><v>1</v></c>'
        '<c r="D1" t="e"><v>#DIV/0!</v></c><c r="E1" t="str"><f>A1</f><v>made</v></c>'
        '<c r="F1" t="d"><v>2024-05-06T00:00:00</v></c><c r="G1" t="s"><v>99</v></c><c r="H1" t="s"><v>2</v></c>'
        '<c r="I1" t="e" vm="1"><v>#VALUE!</v></c><c r="J1"><v>x</v></c>'
    )
    content = _read(Book([SheetXml("a", row(1, cells))], strings=strings))
    assert content.text == (
        "## a\n\n| Q&A <1> line | rich text | TRUE | #DIV/0! | made | 2024-05-06 | tab end | x |"
    )


def test_raised_and_lowered_text_of_a_cell() -> None:
    runs = "".join(
        f"<r><t>{before}</t></r><r><rPr><vertAlign val='{align}'/></rPr><t>{text}</t></r>"
        for before, align, text in (
            ("m", "superscript", "2"),
            (", CO", "subscript", "2"),
            (", 10", "baseline", "6"),
        )
    )
    content = _read(
        Book([SheetXml("a", row(1, '<c r="A1" t="s"><v>0</v></c>'))], strings=[f"<si>{runs}</si>"])
    )
    assert content.text == "## a\n\nm², CO₂, 106"


def test_formulas_without_a_result_are_a_warning() -> None:
    content = _one(row(1, "sum", '<c r="B1"><f>1+1</f></c><c r="C1"><f>2+2</f><v/></c>'))
    assert content.warnings == (
        "The sheet “Bees” has formulas without a stored result, which are not read: 2.",
    )


def test_the_header_row_is_repeated_for_every_few_rows() -> None:
    rows = row(1, "Keeper", "Village") + "".join(
        row(at, f"Keeper {at}", f"Village number {at}") for at in range(2, 200)
    )
    blocks = _one(rows).text.split("\n\n")[1:]
    assert len(blocks) > 10
    assert all(block.startswith("| Keeper | Village |\n|-|-|\n| Keeper ") for block in blocks)
    assert sum(block.count("| Keeper 1") for block in blocks) == 110


def test_titles_stand_above_the_table_and_gaps_end_it() -> None:
    rows = row(1, "Honey of 2024") + row(3, "Hive", "kg") + row(4, "North", 12) + row(6, "South", 9)
    assert _one(rows).text.split("\n\n") == [
        "## Bees",
        "Honey of 2024",
        "| Hive | kg |\n|-|-|\n| North | 12 |",
        "| Hive | kg |\n|-|-|\n| South | 9 |",
    ]


def test_wide_rows_are_lines_of_column_and_value() -> None:
    columns = [f"Sensor number {at}" for at in range(20)]
    text = _one(row(1, *columns) + row(2, *range(20))).text
    assert "Sensor number 0: 0\nSensor number 1: 1\n" in text
    assert all(f"Sensor number {at}: {at}" in text for at in range(20))


def test_tables_say_which_row_is_the_header() -> None:
    table = element("table", "", 'ref="A3:B4"')
    sheet = SheetXml(
        "a", row(2, "x", "y") + row(3, 2020, 2021) + row(4, 5, 6), related=[("t", "table", "xl/t.xml")]
    )
    text = _read(Book([sheet], parts={"xl/t.xml": table})).text
    assert text.endswith("| 2020 | 2021 |\n|-|-|\n| 5 | 6 |")


def test_hidden_sheets_rows_and_columns_are_read_only_where_it_is_set() -> None:
    before = '<cols><col min="2" max="16384" hidden="1"/></cols>'
    rows = row(1, "seen", "veiled") + row(2, "covered", hidden=True) + row(3, "last")
    book = Book([SheetXml("Open", rows, before), SheetXml("Shut", row(1, "secret"), state="veryHidden")])
    content = _read(book)
    assert content.text == "## Open\n\nseen\n\nlast"
    assert content.warnings == (
        "The sheet “Open” has 1 hidden row and 1 hidden column not read (documents.hidden_sheets).",
        "The hidden sheet “Shut” is not read (documents.hidden_sheets).",
    )
    everything = _read(book, hidden=True)
    assert all(word in everything.text for word in ("seen", "veiled", "covered", "last", "secret"))
    assert everything.warnings == ()


def test_rows_that_a_filter_hides_are_read() -> None:
    after = '<autoFilter ref="A1:B3"><filterColumn colId="0"><filters/></filterColumn></autoFilter>'
    content = _one(row(1, "Hive", "kg") + row(2, "North", 1, hidden=True) + row(3, "South", 2), after=after)
    assert "North" in content.text
    assert content.warnings == ()


def test_a_merged_cell_is_read_once() -> None:
    after = '<mergeCells><mergeCell ref="A1:C2"/></mergeCells>'
    content = _one(
        row(1, "once", "under", "under") + row(2, "under", "under", "under", "beside"), after=after
    )
    assert content.text.count("once") == 1
    assert "under" not in content.text
    assert "beside" in content.text


def test_comments_and_threads_name_their_cell_and_author() -> None:
    threads = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    parts = {
        "xl/old.xml": element(
            "comments",
            "<authors><author>Ida</author><author>tc=1</author></authors><commentList>"
            '<comment ref="B2" authorId="0"><text><r><t>Ida:</t></r><r><t>\nToo little</t></r></text></comment>'
            '<comment ref="A2" authorId="1"><text><t>[Threaded comment] for older programs</t></text></comment>'
            "</commentList>",
        ),
        "xl/thread.xml": f'<ThreadedComments xmlns="{threads}">'
        '<threadedComment ref="A2" personId="1"><text>Is it safe?</text></threadedComment>'
        '<threadedComment ref="A2" personId="2"><text>Yes.</text></threadedComment></ThreadedComments>',
        "xl/persons.xml": f'<personList xmlns="{threads}"><person id="1" displayName="Bo"/>'
        '<person id="2" displayName="Eva"/></personList>',
    }
    related = [("a", "comments", "xl/old.xml"), ("b", "threadedComment", "xl/thread.xml")]
    sheet = SheetXml("a", row(1, "Hive", "kg") + row(2, "North", 3), related=related)
    assert _read(Book([sheet], parts=parts)).text.split("\n\n")[2:] == [
        "Comment on A2 (North) by Bo: Is it safe?",
        "Comment on A2 (North) by Eva: Yes.",
        "Comment on B2 (3) by Ida: Too little",
    ]


def test_text_boxes_and_titles_of_charts_are_read() -> None:
    box = "<xdr:sp><xdr:txBody><a:p><a:r><a:t>Boxed </a:t></a:r><a:r><a:t>hint</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
    frame = '<xdr:graphicFrame><a:graphicData><c:chart r:id="c"/></a:graphicData></xdr:graphicFrame>'
    picture = '<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="1" name="p" descr="A smoker on a bench"/></xdr:nvPicPr></xdr:pic>'
    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Honey by year</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    parts = {
        "xl/d.xml": element("xdr:wsDr", f"<xdr:twoCellAnchor>{box}{frame}{picture}</xdr:twoCellAnchor>"),
        "xl/c.xml": element("c:chartSpace", f"<c:chart>{title}<c:plotArea/></c:chart>"),
    }
    sheet = SheetXml("a", row(1, "x"), related=[("d", "drawing", "xl/d.xml")])
    content = _read(Book([sheet], parts=parts, relations={"xl/d.xml": [("c", "chart", "xl/c.xml")]}))
    assert content.text.split("\n\n") == ["## a", "x", "Boxed hint", "Honey by year", "A smoker on a bench"]


def test_a_cell_at_the_end_of_a_sparse_sheet_costs_nothing() -> None:
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>corner</t></is></c></row>'
    assert _one(row(1, "start") + far).text == "## Bees\n\nstart\n\ncorner"


def test_rows_and_cells_may_have_no_references() -> None:
    first = '<row><c t="inlineStr"><is><t>a</t></is></c><c><v>1</v></c></row>'
    text = _one(first + '<row><c t="inlineStr"><is><t>b</t></is></c></row>').text
    assert text.split("\n")[2:] == ["| a | 1 |", "| b |"]


def test_thousands_of_merged_areas_and_hidden_columns_cost_little() -> None:
    merged = "".join(f'<mergeCell ref="A{at}:C{at + 5000}"/>' for at in range(2, 20_000))
    columns = '<col min="2" max="16384" hidden="1"/>' * 5000
    start = time.process_time()
    content = _one(
        row(1, "first"), before=f"<cols>{columns}</cols>", after=f"<mergeCells>{merged}</mergeCells>"
    )
    assert content.text == "## Bees\n\nfirst"
    assert time.process_time() - start < 10


def test_too_many_cells_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.extraction.spreadsheets.sheet.MAX_CELLS", 10)
    content = _one("".join(row(at, f"word {at}") for at in range(1, 30)))
    assert "word 10" in content.text
    assert "word 11" not in content.text
    assert content.warnings == ("The sheet “Bees” is read up to row 10: a workbook may have 10 cells.",)


def test_one_damaged_sheet_costs_itself() -> None:
    content = _read(Book([SheetXml("a", "<row><c>"), SheetXml("b", row(1, "sound"))]))
    assert content.text == "## b\n\nsound"
    assert content.warnings == ("The sheet “a” is not read: The file holds XML that is damaged.",)
    with pytest.raises(ExtractError):
        _one("<row><c>")


def test_title_author_and_date_are_those_of_the_file() -> None:
    content = _read(Book([SheetXml("a", row(1, "x"))], about=("Hives", "Ida", "2024-02-03T04:05:06Z")))
    assert (content.title, content.author, content.date) == ("Hives", "Ida", "2024-02-03T04:05:06Z")
