"""OpenDocument spreadsheets and presentations, packed and flat."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from pipeline.extraction import formats
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.reading_options import ReadingOptions, using

_NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" '
    'xmlns:chart="urn:oasis:names:tc:opendocument:xmlns:chart:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
)
_MIME = "application/vnd.oasis.opendocument."


def _flat(kind: str, body: str, styles: str = "") -> bytes:
    return (
        f'<office:document {_NAMESPACES} office:mimetype="{_MIME}{kind}"><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    ).encode()


def _packed(kind: str, body: str, **parts: str) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", _MIME + kind)
        content = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
        archive.writestr(
            "content.xml", f"<office:document-content {_NAMESPACES}>{content}</office:document-content>"
        )
        for name, text in parts.items():
            archive.writestr(name.replace("__", "/"), text)
    return buffer.getvalue()


def _read(data: bytes, suffix: str) -> Content:
    found = formats.detect(data, suffix)
    return READERS[found.mime].read(data, found)


def _cell(text: str, attributes: str = 'office:value-type="string"') -> str:
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def _table(rows: str, attributes: str = 'table:name="Herbs"') -> str:
    return f"<table:table {attributes}>{rows}</table:table>"


def _row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def test_a_sheet_is_read_as_it_is_shown() -> None:
    note = "<office:annotation><dc:creator>Ida</dc:creator><text:p>Dry</text:p><text:p>it</text:p></office:annotation>"
    rows = _row(_cell("Herb"), _cell("At"), _cell("Share"), _cell("Use"))
    rows += _row(
        f'<table:table-cell office:value-type="string">{note}<text:p>Sage<text:s text:c="2"/>&amp; <text:a>mint</text:a></text:p>'  # noqa: E501
        "<text:p>fresh</text:p></table:table-cell>",
        _cell("7:05:00", 'office:value-type="time"'),
        '<table:table-cell office:value-type="percentage" office:value="0.25"/>',
        '<table:table-cell table:number-columns-repeated="16000"/>',
    )
    rows += '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    for data, suffix in (
        (_flat("spreadsheet", _table(rows)), ".fods"),
        (_packed("spreadsheet", _table(rows)), ".ods"),
    ):
        assert _read(data, suffix).text == (
            "## Herbs\n\n| Herb | At | Share | Use |\n|-|-|-|-|\n| Sage & mint fresh | 07:05:00 | 25% |\n\n"
            "Comment on A2 (Sage & mint fresh) by Ida: Dry it"
        )


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('office:value-type="float" office:value="2.50"', "2.5"),
        ('office:value-type="currency" office:currency="SEK" office:value="12"', "12 SEK"),
        ('office:value-type="date" office:date-value="2024-05-06T07:08:00"', "2024-05-06 07:08:00"),
        ('office:value-type="time" office:time-value="PT27H05M00S"', "27:05"),
        ('office:value-type="boolean" office:boolean-value="true"', "TRUE"),
    ],
)
def test_a_cell_without_a_text_shows_its_value(attributes: str, expected: str) -> None:
    data = _flat("spreadsheet", _table(_row(f"<table:table-cell {attributes}/>")))
    assert _read(data, ".fods").text == f"## Herbs\n\n{expected}"


def test_a_date_without_a_style_shows_its_value() -> None:
    day = 'office:value-type="date" office:date-value="2026-03-04"'
    rows = _row(
        _cell("03/04/26", day),
        _cell("PT10H05M00S", 'office:value-type="time" office:time-value="PT10H05M00S"'),
    )
    styled = _row(_cell("4 March", day), _cell("4.3.26", f'{day} table:style-name="ce1"'))
    column = '<table:table-column table:default-cell-style-name="ce1"/>'
    assert _read(_flat("spreadsheet", _table(rows)), ".fods").text == "## Herbs\n\n| 2026-03-04 | 10:05 |"
    assert _read(_flat("spreadsheet", _table(styled)), ".fods").text == "## Herbs\n\n| 2026-03-04 | 4.3.26 |"
    assert (
        _read(_flat("spreadsheet", _table(column + styled)), ".fods").text
        == "## Herbs\n\n| 4 March | 4.3.26 |"
    )


def test_raised_and_lowered_text_of_cells_and_slides() -> None:
    styles = "".join(
        f'<style:style style:name="{name}" style:family="text"><style:text-properties style:text-position="{at}"/>'
        "</style:style>"
        for name, at in (("U", "super 58%"), ("D", "-33% 58%"), ("N", "0% 100%"))
    )
    text = "".join(
        f'{before}<text:span text:style-name="{name}">{inner}</text:span>'
        for before, name, inner in (
            ("m", "U", "2"),
            (", CO", "D", "2"),
            (", 10", "N", "6"),
            (", tides", "U", "4"),
        )
    )
    assert (
        "m², CO₂, 106, tides[4]"
        in _read(_flat("spreadsheet", _table(_row(_cell(text))), styles), ".fods").text
    )
    page = f"<draw:page><draw:frame><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame></draw:page>"
    assert _read(_flat("presentation", page, styles), ".fodp").text == "m², CO₂, 106, tides[4]"


def test_hidden_sheets_rows_and_columns() -> None:
    style = '<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>'  # noqa: E501
    columns = '<table:table-column/><table:table-column table:visibility="collapse" table:number-columns-repeated="9"/>'
    rows = _row(_cell("seen"), _cell("veiled")) + _row(
        _cell("covered"), attributes='table:visibility="collapse"'
    )
    body = _table(columns + rows) + _table(_row(_cell("secret")), 'table:name="Shut" table:style-name="ta2"')
    data = _flat("spreadsheet", body, style)
    content = _read(data, ".fods")
    assert content.text == "## Herbs\n\nseen"
    assert content.warnings == (
        "The sheet “Herbs” has 1 hidden row and 1 hidden column not read (documents.hidden_sheets).",
        "The hidden sheet “Shut” is not read (documents.hidden_sheets).",
    )
    with using(ReadingOptions(hidden_sheets=True)):
        assert all(word in _read(data, ".fods").text for word in ("seen", "veiled", "covered", "secret"))


def _page(body: str, attributes: str = "") -> str:
    return f'<draw:page draw:name="p" {attributes}>{body}</draw:page>'


def _box(text: str, attributes: str = "") -> str:
    return f"<draw:frame {attributes}><draw:text-box>{text}</draw:text-box></draw:frame>"


def test_slides_with_lists_groups_tables_and_notes() -> None:
    items = "<text:list><text:list-item><text:p>mint</text:p><text:list><text:list-item><text:p>peppermint</text:p></text:list-item>"  # noqa: E501
    items += "</text:list></text:list-item><text:list-item><text:p>sage</text:p></text:list-item></text:list>"
    table = _table(_row(_cell("Herb"), _cell("Bed")) + _row(_cell("Dill"), _cell("4")))
    notes = "<presentation:notes><draw:page-thumbnail/>" + _box(
        "<text:p>Pass the jar.</text:p>", 'presentation:class="notes"'
    )
    notes += _box("<text:p>9</text:p>", 'presentation:class="page-number"') + "</presentation:notes>"
    shapes = [
        _box("<text:p>Kitchen &lt;herbs&gt;</text:p>", 'presentation:class="title"'),
        _box(items),
        "<draw:g><draw:custom-shape><text:p>in a group</text:p></draw:custom-shape></draw:g>",
        f"<draw:frame>{table}<draw:image/></draw:frame>",
        "<draw:frame><draw:image/><svg:desc>A row of pots</svg:desc></draw:frame>",
        _box("", 'presentation:class="outline" presentation:placeholder="true"'),
        _box("<text:p>Footer</text:p>", 'presentation:class="footer"'),
        "<office:annotation><dc:creator>Bo</dc:creator><text:p>Nice</text:p></office:annotation>",
    ]
    for data, suffix in (
        (_flat("presentation", _page("".join(shapes) + notes)), ".fodp"),
        (_packed("presentation", _page("".join(shapes) + notes)), ".odp"),
    ):
        assert _read(data, suffix).text.split("\n\n") == [
            "## Kitchen <herbs>",
            "- mint\n  - peppermint\n- sage",
            "in a group",
            "| Herb | Bed |\n|-|-|\n| Dill | 4 |",
            "A row of pots",
            "Speaker notes: Pass the jar.",
            "Comment by Bo: Nice",
        ]


def test_charts_of_slides_are_in_objects_of_their_own() -> None:
    chart = (
        "<office:body><office:chart><chart:chart><chart:title><text:p>Harvest</text:p></chart:title>"
        f"{_table(_row(_cell(''), _cell('kg')) + _row(_cell('Mint'), _cell('3')))}</chart:chart></office:chart></office:body>"  # noqa: E501
    )
    page = _page('<draw:frame><draw:object xlink:href="./Object 1"/><draw:image/></draw:frame>')
    root = f"<office:document-content {_NAMESPACES}>{chart}</office:document-content>"
    packed = _packed("presentation", page, **{"Object 1__content.xml": root})
    flat_page = _page(
        f"<draw:frame><draw:object><office:document>{chart}</office:document></draw:object></draw:frame>"
    )
    for data, suffix in ((packed, ".odp"), (_flat("presentation", flat_page), ".fodp")):
        assert _read(data, suffix).text == "Harvest\n\n|  | kg |\n|-|-|\n| Mint | 3 |"


def test_hidden_slides_and_embedded_documents() -> None:
    style = '<style:style style:name="dp2"><style:drawing-page-properties presentation:visibility="hidden"/></style:style>'  # noqa: E501
    ole = '<draw:frame><draw:object-ole xlink:href="./Object 9"/></draw:frame>'
    data = _flat("presentation", _page(_box("<text:p>spare</text:p>") + ole, 'draw:style-name="dp2"'), style)
    content = _read(data, ".fodp")
    assert content.text == "(This slide is hidden in the show.)\n\nspare"
    assert content.warnings == ("Slide 1: An embedded object is not read.",)


def test_a_drawing_is_read_page_by_page() -> None:
    content = _read(
        _flat("drawing", _page("<draw:rect><text:p>Bed plan</text:p></draw:rect>")).replace(
            b".drawing", b".graphics"
        ),
        ".fodg",
    )
    assert content.text == "Bed plan"
    assert content.pages == ((1, 0),)


def test_an_encrypted_document_is_refused() -> None:
    manifest = (
        '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry m:full-path="content.xml">'  # noqa: E501
        "<m:encryption-data/></m:file-entry></m:manifest>"
    )
    for kind, suffix in (("spreadsheet", ".ods"), ("presentation", ".odp")):
        with pytest.raises(ExtractError, match="password"):
            _read(_packed(kind, "", **{"META-INF__manifest.xml": manifest}), suffix)


def test_the_data_of_a_chart_in_a_flat_spreadsheet_is_not_read_again() -> None:
    data = _table(
        f"<table:table-row>{_cell('Thyme')}<table:table-cell><draw:g><svg:desc>Herbs.B1:Herbs.B3</svg:desc></draw:g>"
        "</table:table-cell></table:table-row>"
    )
    chart = (
        "<office:document><office:body><office:chart><chart:chart><chart:title><text:p>Sales of herbs</text:p>"
        f"</chart:title>{data}</chart:chart></office:chart></office:body></office:document>"
    )
    shapes = f"<table:shapes><draw:frame><draw:object>{chart}</draw:object></draw:frame></table:shapes>"
    body = _table(f"{shapes}<table:table-row>{_cell('Sage')}{_cell('Mint')}</table:table-row>")
    text = _read(_flat("spreadsheet", body), ".fods").text
    assert "Sales of herbs" in text
    assert "Herbs.B1" not in text
