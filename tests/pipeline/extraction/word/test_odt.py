"""OpenDocument texts, packed and flat."""

from __future__ import annotations

import pytest
from support.word_files import content_of, flat_odt, odt, packed, text_of

from pipeline.extraction import formats
from pipeline.extraction.content import ExtractError

_LIST = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" '
    'style:num-suffix="."/><text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")" '
    'text:display-levels="2"/></text:list-style><text:list-style style:name="L2">'
    '<text:list-level-style-bullet text:level="1" text:bullet-char="•"/></text:list-style>'
)


def _p(inner: str, style: str = "") -> str:
    named = f' text:style-name="{style}"' if style else ""
    return f"<text:p{named}>{inner}</text:p>"


def _item(*inner: str) -> str:
    return f"<text:list-item>{''.join(inner)}</text:list-item>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("Frost &amp; Vane &lt;5 &gt;3 a_b *c*", "Frost & Vane <5 >3 a_b *c*"),
        ("Room:<text:tab/>seven<text:s text:c='4'/>east", "Room: seven east"),
        ("one<text:line-break/>two", "one\ntwo"),
        ("pretty\n     <text:span>printed</text:span>\n  text", "pretty printed text"),
        ("555\u20110199 light\u00adhouse", "555-0199 lighthouse"),
        ("see <text:a xlink:href='https://example.org'>the <text:span>tide</text:span> table</text:a>",
         "see the tide table"),
        ("<text:ruby><text:ruby-base>港</text:ruby-base><text:ruby-text>みなと</text:ruby-text></text:ruby>",
         "港(みなと)"),
        ("on <text:date>6 May</text:date>, page <text:page-number>3</text:page-number>", "on 6 May, page 3"),
        ("a<text:hidden-text text:is-hidden='true'>secret</text:hidden-text>b", "ab"),
        ("a<text:span text:style-name='Hidden'>secret</text:span>b", "ab"),
        ("a<text:toc-mark text:string-value='entry'/>b<text:bookmark text:name='n'/>", "ab"),
        ("a<draw:frame><draw:image/><svg:desc>Plan of the quay</svg:desc></draw:frame>b",
         "a [Picture: Plan of the quay] b"),
        ("a<draw:frame><draw:image><office:binary-data>iVBORw0KGgo=</office:binary-data></draw:image></draw:frame>",
         "a"),
    ],
)  # fmt: skip
def test_the_text_of_a_paragraph(inner: str, expected: str) -> None:
    hidden = (
        '<style:style style:name="Hidden" style:family="text"><style:text-properties text:display="none"/>'
        "</style:style>"
    )
    assert text_of(odt(_p(inner), automatic=hidden), ".odt") == expected
    assert text_of(flat_odt(_p(inner), hidden), ".fodt") == expected


def test_headings_lists_and_their_numbers() -> None:
    outline = (
        '<office:styles><text:outline-style><text:outline-level-style text:level="1" style:num-format="I"/>'
        '<text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>'
        '<style:style style:name="Title" style:family="paragraph"/></office:styles>'
    )
    inner = f"<text:list>{_item(_p('acorn'))}{_item(_p('leaf'), _p('and more'))}</text:list>"
    body = (
        _p("Woods", "Title")
        + '<text:h text:outline-level="1">Oak</text:h><text:h text:outline-level="2">Bark</text:h>'
        + f'<text:list text:style-name="L1">{_item(_p("first"), inner)}{_item(_p("second"))}</text:list>'
        + _p("between")
        + f'<text:list text:style-name="L1" text:continue-numbering="true">{_item(_p("third"))}</text:list>'
        + f'<text:list text:style-name="L2">{_item(_p("moss"))}'
        + f"<text:list-header>{_p('no number')}</text:list-header></text:list>"
    )
    assert text_of(odt(body, styles=outline, automatic=_LIST), ".odt") == (
        "# Woods\n\n# I Oak\n\n## I.1 Bark\n\n1. first\n  1.a) acorn\n  1.b) leaf\n\nand more\n\n2. second\n\n"
        "between\n\n3. third\n- moss\n\nno number"
    )


def test_tables_with_merged_cells_and_tables_inside() -> None:
    inner = "<table:table><table:table-row><table:table-cell><text:p>in</text:p></table:table-cell><table:table-cell>"
    inner += "<text:p>side</text:p></table:table-cell></table:table-row></table:table>"
    table = (
        "<table:table><table:table-columns/><table:table-header-rows><table:table-row>"
        f"<table:table-cell table:number-columns-spanned='2'>{_p('Boat')}</table:table-cell><table:covered-table-cell/>"
        f"<table:table-cell>{_p('Home')}{_p('port')}</table:table-cell></table:table-row></table:table-header-rows>"
        f"<table:table-row><table:table-cell table:number-columns-repeated='2'>{_p('x')}</table:table-cell>"
        f"<table:table-cell>{inner}</table:table-cell></table:table-row></table:table>"
    )
    assert text_of(odt(table), ".odt") == "| Boat |  | Home port |\n| --- | --- | --- |\n| x | x | in, side |"


def test_notes_comments_frames_and_sections() -> None:
    note = (
        "<text:note text:note-class='{}'><text:note-citation>{}</text:note-citation><text:note-body>{}</text:note-body>"
        "</text:note>"
    )
    body = (
        _p(
            f"The oar{note.format('footnote', '1', _p('Of ash.'))} and bell{note.format('endnote', 'i', _p('Cast.'))}"
        )
        + _p(
            "The boat<office:annotation><dc:creator>Jo Marsh</dc:creator><dc:date>2024</dc:date>"
            f"{_p('Which')}{_p('one?')}</office:annotation> leaks.<office:annotation-end/>"
        )
        + _p(f"Door<draw:frame><draw:text-box>{_p('Ring twice.')}</draw:text-box></draw:frame>")
        + f"<text:section>{_p('Seen.')}</text:section><text:section text:display='none'>{_p('unseen')}</text:section>"
        + _p("gone<text:hidden-paragraph text:is-hidden='true'/>")
        + f"<draw:frame text:anchor-type='page'><draw:text-box>{_p('On the page.')}</draw:text-box></draw:frame>"
    )
    assert text_of(odt(body), ".odt") == (
        "The oar[^1] and bell[^i]\n[^1]: Of ash.\n[^i]: Cast.\n\nThe boat leaks.\n"
        "[Comment by Jo Marsh: Which one?]\n\nDoor\n\nRing twice.\n\nSeen.\n\nOn the page."
    )


def test_tracked_deletions_are_left_out() -> None:
    changes = (
        "<text:tracked-changes><text:changed-region><text:deletion><office:change-info/><text:p>gone words</text:p>"
        "</text:deletion></text:changed-region></text:tracked-changes>"
    )
    body = changes + _p(
        "The fee is <text:change text:change-id='c'/><text:change-start/>twelve<text:change-end/>."
    )
    assert text_of(odt(body), ".odt") == "The fee is twelve."
    inline = changes.replace("<text:p>gone words</text:p>", "").replace(
        "changed-region>", "changed-region text:id='d'>", 1
    )
    start, end = "<text:change-start text:change-id='d'/>", "<text:change-end text:change-id='d'/>"
    body = (
        inline
        + _p(f"Kept {start}gone")
        + _p("<text:span>all gone</text:span>")
        + _p(f"gone{end}here.")
        + _p("Next.")
    )
    assert text_of(flat_odt(body), ".fodt") == "Kept here.\n\nNext."


def test_headers_and_footers_of_the_pages_used_stand_once() -> None:
    def page(name: str, header: str, footer: str, more: str = "") -> str:
        return (
            f'<style:master-page style:name="{name}" {more}><style:header>{_p(header)}</style:header>'
            f'<style:header-left style:display="false">{_p("not shown")}</style:header-left>'
            f"<style:footer>{_p(footer)}</style:footer></style:master-page>"
        )

    masters = (
        page("Standard", "File 77", "Signed")
        + page("Land", "File 77", "Wide")
        + page("Other", "unused", "unused")
    )
    automatic = '<style:style style:name="P1" style:family="paragraph" style:master-page-name="Land"/>'
    styles = f"<office:master-styles>{masters}</office:master-styles>"
    found = text_of(odt(_p("Text.", "P1"), styles=styles, automatic=automatic), ".odt")
    assert found == "File 77\n\nText.\n\nSigned\n\nWide"


def test_equations_and_charts_inside() -> None:
    math = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>v</mi><mo>=</mo><mfrac><mi>s</mi>'
        "<msup><mi>t</mi><mn>2</mn></msup></mfrac></mrow><annotation>v = s over t^2</annotation></semantics></math>"
    )
    chart = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:chart="urn:oasis:names:tc:opendocument:xmlns:chart:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:chart><chart:chart>'
        "<chart:title><text:p>Eels</text:p></chart:title><table:table><table:table-rows><table:table-row>"
        "<table:table-cell><text:p>May</text:p></table:table-cell><table:table-cell><text:p>14</text:p>"
        "</table:table-cell></table:table-row></table:table-rows></table:table></chart:chart></office:chart>"
        "</office:body></office:document-content>"
    )
    frame = '<draw:frame><draw:object xlink:href="./{}"/><draw:image/></draw:frame>'
    body = _p(f"So {frame.format('Object 1')}") + _p(frame.format("Object 2"))
    found = text_of(odt(body, **{"Object 1/content_xml": math, "Object 2/content_xml": chart}), ".odt")
    assert found == "So v = s/(t^2)\n\nEels\n\n| May | 14 |\n| --- | --- |"


def test_title_author_and_date() -> None:
    meta = (
        '<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0">'
        "<office:meta><dc:title>The papers</dc:title><meta:initial-creator>Ida Brook</meta:initial-creator>"
        "<dc:date>2024-05-06T07:08:09</dc:date></office:meta></office:document-meta>"
    )
    content = content_of(odt(_p("Text."), meta_xml=meta), ".odt")
    assert (content.title, content.author, content.date) == ("The papers", "Ida Brook", "2024-05-06T07:08:09")


def test_templates_and_files_without_a_mimetype_are_detected() -> None:
    template = packed({"mimetype": "application/vnd.oasis.opendocument.text-template", "content.xml": "<a/>"})
    assert formats.detect(template, ".ott").mime == "application/vnd.oasis.opendocument.text"
    manifest = '<m><f full-path="/" media-type="application/vnd.oasis.opendocument.text"/></m>'
    bare = packed({"content.xml": "<a/>", "META-INF/manifest.xml": manifest})
    assert formats.detect(bare, ".zip").mime == "application/vnd.oasis.opendocument.text"


def test_encrypted_documents_say_so() -> None:
    name = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    manifest = (
        f'<m:manifest xmlns:m="{name}"><m:file-entry m:full-path="content.xml"><m:encryption-data/></m:file-entry>'
        "</m:manifest>"
    )
    old = odt(_p("x"), **{"META-INF/manifest.xml": manifest})
    new = odt(_p("x"), **{"encrypted-package": b"noise"})
    for data in (old, new):
        with pytest.raises(ExtractError, match="encrypted") as refused:
            content_of(data, ".odt")
        assert refused.value.category == "corrupt"
