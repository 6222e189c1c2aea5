"""The blocks and parts of Word documents: headings, lists, tables, notes, comments, headers, files inside."""

from __future__ import annotations

import pytest
from support.word_files import NAMESPACES, content_of, docx, packed, paragraph, text_of

from pipeline.extraction.content import ExtractError

_STYLES = (
    '<w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Own"><w:basedOn w:val="berschrift2"/></w:style>'
    '<w:style w:type="table" w:styleId="Grid"><w:tblStylePr><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:tblStylePr>'
    "</w:style>"
)
_LEVELS = (
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
)
_BULLET = '<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="·"/></w:lvl>'
_NUMBERING = (
    f'<w:abstractNum w:abstractNumId="1">{_LEVELS}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="2">{_BULLET}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/>'
    "</w:lvlOverride></w:num>"
)


def _styled(text: str, style: str) -> str:
    return paragraph(text, f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>')


def _item(text: str, list_id: int, level: int = 0, style: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    numbers = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return paragraph(text, f"<w:pPr>{named}{numbers}</w:pPr>")


def _reference(kind: str, number: int, more: str = "") -> str:
    return f'<w:r><w:{kind}Reference w:id="{number}"{more}/></w:r>'


def _note(kind: str, number: int, text: str) -> str:
    return f'<w:{kind} w:id="{number}"><w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t>{text}</w:t></w:r></w:p></w:{kind}>'


def test_headings_by_style_name_outline_level_and_inheritance() -> None:
    outline = '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>'
    body = _styled("Salt", "Titel") + _styled("Pans", "berschrift2") + _styled("Rakes", "Own")
    body += paragraph("Brine", outline) + paragraph("# no heading")
    assert (
        text_of(docx(body, styles=_STYLES)) == "# Salt\n\n## Pans\n\n## Rakes\n\n### Brine\n\n\\# no heading"
    )


def test_what_stands_below_a_title_is_none() -> None:
    below = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/><w:basedOn w:val="Titel"/></w:style>'
        for name in ("Author", "Date", "Subtitle")
    )
    body = _styled("Salt", "Titel") + _styled("Ana", "Author") + _styled("2026", "Date")
    assert text_of(docx(body, styles=_STYLES + below)) == "# Salt\n\nAna\n\n2026"


def test_a_blank_for_a_bullet_is_none() -> None:
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val=" "/></w:lvl>'
    blank = f'<w:abstractNum w:abstractNumId="9">{level}</w:abstractNum>'
    blank += '<w:num w:numId="9"><w:abstractNumId w:val="9"/></w:num>'
    body = _item("salt", 2) + _item("and more of it", 9)
    assert text_of(docx(body, numbering=_NUMBERING + blank)) == "- salt\n\nand more of it"


def test_headings_of_a_document_without_styles() -> None:
    assert text_of(docx(_styled("Salt", "Heading2") + _styled("Pans", "Headings"))) == "## Salt\n\nPans"


def test_lists_and_numbered_headings_show_their_numbers() -> None:
    body = _item("oak", 1) + _item("acorn", 1, 1) + _item("leaf", 1, 1) + _item("elm", 1)
    body += _item("twig", 1, 1) + _item("moss", 2) + _item("late", 3) + _item("Roots", 1, style="berschrift2")
    assert text_of(docx(body, styles=_STYLES, numbering=_NUMBERING)) == (
        "1. oak\n  1.a) acorn\n  1.b) leaf\n2. elm\n  2.a) twig\n- moss\n7. late\n\n## 8. Roots"
    )


def test_tables_with_merged_cells_and_tables_inside() -> None:
    def cell(inner: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"

    inner_table = f"<w:tbl><w:tr>{cell(paragraph('in'))}{cell(paragraph('side'))}</w:tr></w:tbl>"
    rows = [
        cell(paragraph("Boat")) + cell(paragraph("Crew") + paragraph("of men")) + cell(paragraph("Home")),
        cell(paragraph("Gull"), "<w:vMerge w:val='restart'/>")
        + cell(paragraph("wide"), "<w:gridSpan w:val='2'/>"),
        cell(paragraph("lost"), "<w:vMerge/>")
        + cell(inner_table)
        + f"<w:sdt><w:sdtContent>{cell(paragraph('in sdt'))}"
        "</w:sdtContent></w:sdt>",
    ]
    table = f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"
    framed = f"<w:tbl><w:tr>{cell(_styled('Frame', 'berschrift2') + paragraph('Text.'))}</w:tr></w:tbl>"
    assert text_of(docx(table + framed, styles=_STYLES)) == (
        "| Boat | Crew of men | Home |\n| --- | --- | --- |\n| Gull | wide |  |\n|  | in, side | in sdt |\n\n"
        "## Frame\n\nText."
    )


def test_notes_stand_at_their_marks_with_their_numbers() -> None:
    separator = '<w:footnote w:type="separator" w:id="-1"><w:p/></w:footnote>'
    footnotes = separator + _note("footnote", 5, "Of ash.") + _note("footnote", 2, "Of tin.")
    body = (
        f"<w:p><w:r><w:t>The oar</w:t></w:r>{_reference('footnote', 5)}<w:r><w:t> and the bell</w:t></w:r>"
        f"{_reference('endnote', 1)}</w:p><w:p><w:r><w:t>The pump</w:t></w:r>{_reference('footnote', 2)}</w:p>"
    )
    found = text_of(docx(body, footnotes=footnotes, endnotes=_note("endnote", 1, "Cast in 1890.")))
    assert found == (
        "The oar[^1] and the bell[^i]\n[^1]: Of ash.\n[^i]: Cast in 1890.\n\nThe pump[^2]\n[^2]: Of tin."
    )


def test_notes_may_be_numbered_in_each_section_and_have_marks_of_their_own() -> None:
    numbers = '<w:numFmt w:val="upperRoman"/><w:numRestart w:val="eachSect"/>'
    section = f"<w:sectPr><w:footnotePr>{numbers}</w:footnotePr></w:sectPr>"
    footnotes = "".join(_note("footnote", number, f"Note {number}") for number in (1, 2, 3))
    body = f"<w:p><w:pPr>{section}</w:pPr><w:r><w:t>a</w:t></w:r>{_reference('footnote', 1)}</w:p>"
    body += f"<w:p><w:r><w:t>b</w:t></w:r>{_reference('footnote', 2)}"
    custom = ' w:customMarkFollows="1"'
    body += f"{_reference('footnote', 3, custom)}<w:r><w:t>*</w:t></w:r></w:p>{section}"
    assert text_of(docx(body, footnotes=footnotes)) == "a[^I]\n[^I]: Note 1\n\nb[^I]*\n[^I]: Note 2\nNote 3"


def test_comments_have_their_authors() -> None:
    comment = f'<w:comment w:id="0" w:author="Jo Marsh">{paragraph("Which one?")}{paragraph("The red.")}</w:comment>'
    body = f"<w:p><w:r><w:t>The boat leaks.</w:t></w:r>{_reference('comment', 0)}</w:p>"
    assert (
        text_of(docx(body, comments=comment)) == "The boat leaks.\n[Comment by Jo Marsh: Which one? The red.]"
    )


def test_headers_and_footers_stand_once() -> None:
    def reference(kind: str, place: str, key: str) -> str:
        return f'<w:{kind}Reference w:type="{place}" r:id="{key}"/>'

    section = reference("header", "default", "h1") + reference("footer", "default", "f1")
    first = reference("header", "first", "h2") + reference("header", "even", "h3")
    body = f"<w:p><w:pPr><w:sectPr>{section}{first}</w:sectPr></w:pPr><w:r><w:t>Text.</w:t></w:r></w:p>"
    body += f"<w:sectPr>{section.replace('h1', 'h4')}</w:sectPr>"
    linked: dict[str, tuple[str, str | bytes]] = {
        key: (kind, f"<w:hdr>{paragraph(text)}</w:hdr>")
        for key, kind, text in (
            ("h1", "header", "File 77"), ("h2", "header", "no first page"), ("h3", "header", "no even pages"),
            ("h4", "header", "File 77"), ("f1", "footer", "Signed at sea"),
        )
    }  # fmt: skip
    assert text_of(docx(body, linked=linked)) == "File 77\n\nText.\n\nSigned at sea"
    assert "no even pages" in text_of(docx(body, linked=linked, settings="<w:evenAndOddHeaders/>"))


def test_files_inside_are_read() -> None:
    inner = docx(paragraph("A letter inside."))
    linked: dict[str, tuple[str, str | bytes]] = {
        "a1": ("aFChunk.html", b"<html><body><p>A page &amp; more.</p></body></html>"),
        "a2": ("aFChunk.rtf", rb"{\rtf1\ansi A sheet of r\'e9sum\'e9.\par}"),
        "a3": ("aFChunk.docx", inner),
    }
    body = (
        paragraph("Before.") + "".join(f'<w:altChunk r:id="{key}"/>' for key in linked) + paragraph("After.")
    )
    assert text_of(docx(body, linked=linked)) == (
        "Before.\n\nA page & more.\n\nA sheet of résumé.\n\nA letter inside.\n\nAfter."
    )


def test_embedded_files_are_attachments() -> None:
    inner = docx(paragraph("A letter inside."))
    content = content_of(docx(paragraph("Before."), linked={"o1": ("package.docx", inner)}))
    assert [(each.name, each.data) for each in content.attachments] == [("part0.docx", inner)]


def test_a_document_inside_itself_ends() -> None:
    data = docx(paragraph("core"))
    for _ in range(6):
        data = docx('<w:altChunk r:id="a"/>' + paragraph("shell"), linked={"a": ("aFChunk.docx", data)})
    content = content_of(data)
    assert content.text.count("shell") == 4
    assert "core" not in content.text


@pytest.mark.parametrize("main", ["word/document2.xml", "parts/text.xml", "Word/Main Document.xml"])
def test_the_main_part_may_have_any_name(main: str) -> None:
    content = content_of(docx(paragraph("Found."), main=main))
    assert (content.text, content.title, content.author) == ("Found.", "The papers", "Ida Brook")
    assert content.date == "2024-05-06T07:08:09Z"


def test_strict_documents_are_read() -> None:
    body = f"<w:p><w:r><w:t>Strict</w:t></w:r>{_reference('footnote', 1)}</w:p>"
    data = docx(body, footnotes=_note("footnote", 1, "too."), strict=True)
    assert text_of(data) == "Strict[^1]\n[^1]: too."


def test_content_controls_and_custom_markup_are_transparent() -> None:
    inside = f"<w:sdtContent>{paragraph('Inside.')}</w:sdtContent>"
    wrapped = f"<w:sdt><w:sdtPr><w:alias w:val='x'/></w:sdtPr>{inside}</w:sdt>"
    smart = "<w:p><w:smartTag><w:customXml><w:r><w:t>Tagged.</w:t></w:r></w:customXml></w:smartTag></w:p>"
    assert text_of(docx(wrapped + smart)) == "Inside.\n\nTagged."


def test_a_damaged_part_costs_itself() -> None:
    body = f"<w:p><w:r><w:t>Text</w:t></w:r>{_reference('footnote', 1)}</w:p>"
    content = content_of(docx(body, footnotes="<w:footnote"))
    assert content.text == "Text"
    assert content.warnings == (
        "The footnotes of the document cannot be read: The file holds XML that is damaged.",
    )


def _hostile(document: bytes | str) -> bytes:
    return packed({"word/document.xml": document, "[Content_Types].xml": "<a/>"})


def test_hostile_documents_are_refused_quickly() -> None:
    w = f'xmlns:w="{NAMESPACES["w"]}"'
    bomb = f'<!DOCTYPE x [<!ENTITY a "{"A" * 1000}">]><w:document {w}><w:body>&a;</w:body></w:document>'
    deep = f"<w:document {w}><w:body>{'<w:sdt>' * 50_000}{'</w:sdt>' * 50_000}</w:body></w:document>"
    name, many = "w:customXmlElement", 90_000
    nested = f"{f'<{name}>' * many}{f'</{name}>' * many}"
    deep_large = f"<w:document {w}><w:body>{nested}</w:body></w:document>"
    for data, category in [
        (_hostile(bomb), "corrupt"),
        (_hostile(bomb.encode("utf-16")), "corrupt"),
        (_hostile(deep), "too_large"),
        (_hostile(deep_large), "too_large"),
        (_hostile(b"<w:document"), "corrupt"),
        (_hostile(" " * (210 << 20)), "too_large"),
    ]:
        with pytest.raises(ExtractError) as refused:
            content_of(data)
        assert refused.value.category == category


def test_a_drop_cap_is_the_first_letter_of_its_word() -> None:
    cap = paragraph("M", '<w:pPr><w:framePr w:dropCap="drop" w:lines="3"/></w:pPr>')
    assert text_of(docx(cap + paragraph("arsh birds nest late."))) == "Marsh birds nest late."
