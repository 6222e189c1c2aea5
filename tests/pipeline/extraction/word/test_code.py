"""Code in texts of word processors: what is set in a font of one width keeps its spaces and lines."""

from __future__ import annotations

import pytest
from support.word_files import docx, odt, paragraph, text_of

from pipeline.extraction.monospaced import is_monospaced

_CODE = '<w:style w:type="paragraph" w:styleId="Code"><w:name w:val="Code"/><w:rPr>{}</w:rPr></w:style>'
_FONT = '<w:rFonts w:ascii="Consolas" w:hAnsi="Consolas"/>'
_NORMAL = '<w:style w:type="paragraph" w:default="1" w:styleId="N"><w:rPr>{}</w:rPr></w:style>'


def _code(text: str) -> str:
    return paragraph(text, '<w:pPr><w:pStyle w:val="Code"/></w:pPr>')


def _run(text: str) -> str:
    return f'<w:r><w:rPr>{_FONT}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def test_code_in_word_documents() -> None:
    body = (
        paragraph("Run  this:")
        + _code("for f in *")
        + _code("    do_it  $f")
        + f"<w:p>{_run('a')}<w:r><w:br/></w:r>{_run('  b')}</w:p><w:p><w:r><w:t>Use </w:t></w:r>{_run('ls  x')}</w:p>"
        + f"<w:tbl><w:tr><w:tc><w:p>{_run('  x')}</w:p></w:tc><w:tc>{paragraph('y')}</w:tc></w:tr></w:tbl>"
    )
    text = text_of(docx(body, styles=_CODE.format(_FONT)))
    assert text == (
        "Run this:\n\n```\nfor f in *\n    do_it  $f\na\n  b\n```\n\nUse ls x\n\n| x | y |\n| --- | --- |"
    )


_DEFAULTS = "<w:docDefaults><w:rPrDefault><w:rPr>{}</w:rPr></w:rPrDefault></w:docDefaults>"


@pytest.mark.parametrize("usual", [_NORMAL.format(_FONT), _DEFAULTS.format(_FONT)])
def test_a_typewritten_text_is_no_code(usual: str) -> None:
    assert text_of(docx(_code("The  sea"), styles=usual + _CODE.format(_FONT))) == "The sea"


def test_code_in_open_document_texts() -> None:
    font = '<style:text-properties style:font-name="Liberation Mono"/>'
    style = f'<style:style style:name="Pre" style:family="paragraph">{font}</style:style>'
    own = '<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Pre"/>'
    lines = '<text:p text:style-name="P1">if x:</text:p><text:p text:style-name="P1"><text:s text:c="4"/>y</text:p>'
    body = f"{lines}<text:p>End</text:p>"
    styles = "<office:styles>{}</office:styles>"
    assert (
        text_of(odt(body, styles=styles.format(style), automatic=own), ".odt")
        == "```\nif x:\n    y\n```\n\nEnd"
    )
    usual = f'<style:style style:name="Standard" style:family="paragraph">{font}</style:style>'
    assert (
        text_of(odt(body, styles=styles.format(style + usual), automatic=own), ".odt") == "if x:\n\ny\n\nEnd"
    )


def test_bullets_that_are_boxes_stay() -> None:
    level = '<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="{}"/></w:lvl>'
    lists = "".join(
        f'<w:abstractNum w:abstractNumId="{number}">{level.format(box)}</w:abstractNum>'
        for number, box in enumerate("☐☒•")
    )
    numbers = "".join(
        f'<w:num w:numId="{number + 1}"><w:abstractNumId w:val="{number}"/></w:num>' for number in range(3)
    )
    body = "".join(
        paragraph(text, f'<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="{at}"/></w:numPr></w:pPr>')
        for at, text in ((1, "Paint"), (2, "Rope"), (3, "Sail"))
    )
    assert text_of(docx(body, numbering=lists + numbers)) == "- ☐ Paint\n- ☒ Rope\n- Sail"


@pytest.mark.parametrize(
    ("font", "expected"),
    [
        *((font, True) for font in ("Courier New", "Consolas", "DejaVu Sans Mono", "Source Code Pro", "Menlo")),
        *((font, False) for font in ("Monotype Corsiva", "Arial", "", "Encode Sans", "Harmonia", "Codec Pro")),
    ],
)  # fmt: skip
def test_names_of_fonts(font: str, expected: bool) -> None:
    assert is_monospaced(font) is expected
