"""The text of Word documents: characters, fields, tracked changes, hidden text, equations, pictures."""

from __future__ import annotations

import pytest
from support.word_files import docx, paragraph, text_of

_KEEP = 'xml:space="preserve"'


def _run(inner: str, properties: str = "") -> str:
    return f"<w:r>{properties}{inner}</w:r>"


def _text(text: str) -> str:
    return f"<w:t {_KEEP}>{text}</w:t>"


def _p(*runs: str) -> str:
    return f"<w:p>{''.join(runs)}</w:p>"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        (_text("Frost &amp; Vane &lt;5 &gt;3 &quot;x&quot; 'y' a_b *c* \\d"),
         "Frost & Vane <5 >3 \"x\" 'y' a_b *c* \\d"),
        ("<w:t>Room:</w:t><w:tab/><w:t>seven</w:t><w:ptab/><w:t>east</w:t>", "Room: seven east"),
        ("<w:t>555</w:t><w:noBreakHyphen/><w:t>0199</w:t>", "555-0199"),
        ("<w:t>light</w:t><w:softHyphen/><w:t>house</w:t>", "lighthouse"),
        ("<w:t>e\u2011mail light\u00adhouse</w:t>", "e-mail lighthouse"),
        ("<w:t>one</w:t><w:br/><w:t>two</w:t><w:cr/><w:t>three</w:t>", "one\ntwo\nthree"),
        ('<w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Wingdings" w:char="F0FC"/>', "α✓"),
        ("<w:ruby><w:rt><w:r><w:t>みなと</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>港</w:t></w:r></w:rubyBase></w:ruby>",
         "港(みなと)"),
        ('<w:pict><v:shape alt="Plan of the quay"><v:imagedata/></v:shape></w:pict>', "[Picture: Plan of the quay]"),
        ('<w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict>', "DRAFT"),
        ('<w:pict><v:shape alt="image1.png"/></w:pict><w:t>x</w:t>', "x"),
        ("<w:t>\n   pretty printed\n  </w:t>", "pretty printed"),
    ],
)  # fmt: skip
def test_the_characters_of_a_run(inner: str, expected: str) -> None:
    assert text_of(docx(_p(_run(inner)))) == expected


def test_symbols_typed_in_a_symbol_font() -> None:
    run = _run(_text("\uf0b3 \uf062"), '<w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr>')
    assert text_of(docx(_p(run))) == "≥ β"


def _field(code: str, result: str, *, separate: bool = True) -> str:
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    middle = mark.format("separate") + result if separate else result
    begin = f"{mark.format('begin')}<w:r><w:instrText>{code}</w:instrText></w:r>"
    return begin + middle + mark.format("end")


def test_fields_show_their_results_and_not_their_codes() -> None:
    link = f'<w:hyperlink r:id="x">{_run(_text("the tide table"))}</w:hyperlink>'
    simple = f'<w:fldSimple w:instr="AUTHOR">{_run(_text("Ida"))}</w:fldSimple>'
    nested = _field("IF", _run(_text("inner")) + _field("REF a", _run(_text(" deep"))))
    body = _p(_run(_text("See ")), link, simple, _field(" PAGE ", _run(_text("12"))), nested)
    assert text_of(docx(body)) == "See the tide tableIda12inner deep"
    button = _p(_field("MACROBUTTON NoMacro [Type the address]", "", separate=False))
    assert text_of(docx(button)) == "[Type the address]"
    unended = _p(_run('<w:fldChar w:fldCharType="begin"/>'), _run(_text("lost"))) + paragraph(
        "All that follows."
    )
    assert text_of(docx(unended)) == "All that follows."


def test_check_boxes_and_lists_of_forms() -> None:
    box = '<w:ffData><w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox></w:ffData>'
    entries = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="Oak"/><w:listEntry w:val="Elm"/></w:ddList>'
    runs = []
    for data in (box, f"<w:ffData>{entries}</w:ffData>"):
        runs.append(_run(f'<w:fldChar w:fldCharType="begin">{data}</w:fldChar>'))
        runs.append(_run('<w:fldChar w:fldCharType="end"/>'))
    assert text_of(docx(_p(*runs))) == "☒Elm"


def test_tracked_changes_are_read_as_accepted() -> None:
    body = (
        _p(
            _run(_text("The fee is ")),
            f"<w:del><w:r><w:delText>ten</w:delText></w:r></w:del><w:ins>{_run(_text('twelve'))}</w:ins>",
            _run(_text(" francs.")),
        )
        + f"<w:p><w:moveFrom>{_run(_text('The goat is kept.'))}</w:moveFrom></w:p>"
        + paragraph("Between.")
        + f"<w:p><w:moveTo>{_run(_text('The goat is kept.'))}</w:moveTo></w:p>"
        + paragraph("Joined ", "<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>")
        + paragraph("line.")
        + "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    )
    assert text_of(docx(body)) == "The fee is twelve francs.\n\nBetween.\n\nThe goat is kept.\n\nJoined line."


def test_hidden_text_is_left_out() -> None:
    styles = (
        '<w:style w:type="character" w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="character" w:styleId="Child"><w:basedOn w:val="Secret"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Gone"><w:rPr><w:vanish/></w:rPr></w:style>'
    )
    body = (
        _p(_run(_text("shown ")), _run(_text("direct"), "<w:rPr><w:vanish/></w:rPr>"),
           _run(_text("by style"), '<w:rPr><w:rStyle w:val="Child"/></w:rPr>'),
           _run(_text("again"), '<w:rPr><w:rStyle w:val="Secret"/><w:vanish w:val="0"/></w:rPr>'))
        + paragraph("a hidden paragraph", '<w:pPr><w:pStyle w:val="Gone"/></w:pPr>')
    )  # fmt: skip
    assert text_of(docx(body, styles=styles)) == "shown again"


def test_equations_are_readable() -> None:
    def math(inner: str) -> str:
        return f"<m:oMath>{inner}</m:oMath>"

    def t(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    fraction = f"<m:f><m:num>{t('a+b')}</m:num><m:den>{t('2')}</m:den></m:f>"
    power = f"<m:sSup><m:e>{t('x')}</m:e><m:sup>{t('n+1')}</m:sup></m:sSup>"
    root = f"<m:rad><m:radPr><m:degHide/></m:radPr><m:deg/><m:e>{t('y')}</m:e></m:rad>"
    total = (
        f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{t("i=1")}</m:sub>'
        f"<m:sup>{t('n')}</m:sup><m:e>{t('i')}</m:e></m:nary>"
    )
    body = _p(_run(_text("Let ")), math(fraction + t("=") + power + t(", ") + root + t(", ") + total))
    assert text_of(docx(body)) == "Let (a+b)/2=x^(n+1), √y, ∑_(i=1)^n i"


def test_a_text_box_is_read_once() -> None:
    inner = f"<w:txbxContent>{paragraph('Ring twice.')}</w:txbxContent>"
    both = (
        '<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><wp:docPr descr="A bell"/>'
        f"<a:graphic><a:graphicData><wps:wsp><wps:txbx>{inner}</wps:txbx></wps:wsp></a:graphicData></a:graphic>"
        "</wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>"
        f"{inner}</v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent>"
    )
    assert text_of(docx(_p(_run(_text("Door")), _run(both)))) == "Door [Picture: A bell]\n\nRing twice."


def test_charts_and_smartart() -> None:
    chart = (
        "<c:chartSpace><c:chart><c:title><a:p><a:r><a:t>Eels caught</a:t></a:r></a:p></c:title><c:plotArea>"
        "<c:barChart><c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>2023</c:v></c:pt></c:strCache></c:strRef>"
        "</c:tx><c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>May</c:v></c:pt><c:pt idx='1'><c:v>June</c:v></c:pt>"
        "</c:strCache></c:strRef></c:cat><c:val><c:numRef><c:numCache><c:pt idx='0'><c:v>14</c:v></c:pt>"
        "<c:pt idx='1'><c:v>0.30000000000000004</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser></c:barChart>"
        "</c:plotArea></c:chart></c:chartSpace>"
    )
    data = (
        "<dgm:dataModel><dgm:ptLst><dgm:pt modelId='0' type='doc'/>"
        + "".join(
            f"<dgm:pt modelId='{key}'><dgm:t><a:p><a:r><a:t>{name}</a:t></a:r></a:p></dgm:t></dgm:pt>"
            for key, name in (("1", "Pump"), ("2", "Filter"), ("3", "Sieve"))
        )
        + "<dgm:pt modelId='9' type='pres'><dgm:t><a:p><a:r><a:t>again</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst>"
        "<dgm:cxnLst><dgm:cxn srcId='0' destId='1' srcOrd='1'/><dgm:cxn srcId='0' destId='2' srcOrd='0'/>"
        "<dgm:cxn srcId='2' destId='3' srcOrd='0'/></dgm:cxnLst></dgm:dataModel>"
    )
    drawing = "<w:drawing><wp:inline><a:graphic><a:graphicData>{}</a:graphicData></a:graphic></wp:inline></w:drawing>"
    body = _p(_run(drawing.format('<c:chart r:id="c1"/>'))) + _p(
        _run(drawing.format('<dgm:relIds r:dm="d1"/>'))
    )
    found = text_of(docx(body, linked={"c1": ("chart", chart), "d1": ("diagramData", data)}))
    assert found == (
        "Eels caught\n|  | 2023 |\n| --- | --- |\n| May | 14 |\n| June | 0.3 |\n\n- Filter\n  - Sieve\n- Pump"
    )
