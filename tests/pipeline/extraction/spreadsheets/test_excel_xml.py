"""Excel workbooks in the XML of 2003, and tables in text under the name of old workbooks."""

from __future__ import annotations

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.reading_options import ReadingOptions, using

_ROWS = (
    '<Column ss:Index="4" ss:Hidden="1"/>'
    '<Row><Cell><Data ss:Type="String">Nut</Data></Cell><Cell><Data ss:Type="String">Picked</Data></Cell>'
    '<Cell><Data ss:Type="String">Share</Data></Cell></Row>'
    '<Row ss:Index="2"><Cell><Data ss:Type="String">Hazel &amp; co</Data><Comment ss:Author="Ida"><ss:Data>Dry</ss:Data>'  # noqa: E501
    '</Comment></Cell><Cell ss:StyleID="d"><Data ss:Type="DateTime">2023-03-15T00:00:00.000</Data></Cell>'
    '<Cell ss:StyleID="p"><Data ss:Type="Number">0.25</Data></Cell><Cell><Data ss:Type="String">veiled</Data></Cell></Row>'  # noqa: E501
    '<Row><Cell ss:MergeAcross="1"><Data ss:Type="Boolean">1</Data></Cell><Cell><Data ss:Type="Error">#N/A</Data></Cell></Row>'  # noqa: E501
    '<Row ss:Hidden="1"><Cell><Data ss:Type="String">covered</Data></Cell></Row>'
)
_BOOK = (
    '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" '  # noqa: E501
    'xmlns:x="urn:schemas-microsoft-com:office:excel" xmlns:o="urn:schemas-microsoft-com:office:office">'
    "<o:DocumentProperties><o:Title>Nuts</o:Title><o:Author>Ida</o:Author></o:DocumentProperties>"
    '<Styles><Style ss:ID="d"><NumberFormat ss:Format="d\\.m\\.yyyy"/></Style><Style ss:ID="p"><NumberFormat ss:Format="0%"/>'  # noqa: E501
    f'</Style></Styles><Worksheet ss:Name="Autumn"><Table>{_ROWS}</Table></Worksheet><Worksheet ss:Name="Shut"><Table><Row>'  # noqa: E501
    '<Cell><Data ss:Type="String">secret</Data></Cell></Row></Table><x:WorksheetOptions><x:Visible>SheetHidden</x:Visible>'  # noqa: E501
    "</x:WorksheetOptions></Worksheet></Workbook>"
).encode()


def _read(data: bytes, suffix: str) -> Content:
    found = formats.detect(data, suffix)
    return READERS[found.mime].read(data, found)


def test_a_workbook_in_xml_is_read_as_it_is_shown() -> None:
    for suffix in (".xls", ".xml"):
        content = _read(_BOOK, suffix)
        assert content.text == (
            "## Autumn\n\n| Nut | Picked | Share |\n|-|-|-|\n| Hazel & co | 15.3.2023 | 25% |\n| TRUE |  | #N/A |\n\n"
            "Comment on A2 (Hazel & co) by Ida: Dry"
        )
        assert (content.title, content.author) == ("Nuts", "Ida")
        assert len(content.warnings) == 2
    with using(ReadingOptions(hidden_sheets=True)):
        assert all(word in _read(_BOOK, ".xls").text for word in ("veiled", "covered", "secret"))


def test_a_table_with_tabs_or_in_html_may_have_the_name_of_a_workbook() -> None:
    assert (
        _read(b"Nut\tkg\nHazel\t3\nBeech\t4\n", ".xls").text
        == "| Nut | kg |\n|-|-|\n| Hazel | 3 |\n| Beech | 4 |"
    )
    page = b"<html><body><table><tr><td>Nut</td><td>Hazel</td></tr></table></body></html>"
    assert "Hazel" in _read(page, ".xls").text
    assert _read(b"Only some words.", ".xls").text == "Only some words."
