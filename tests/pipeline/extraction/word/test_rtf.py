"""RTF documents."""

from __future__ import annotations

import pytest
from support.word_files import content_of, text_of

from pipeline.extraction.content import ExtractError


def _text(body: str | bytes, head: bytes = b"\\ansi\\ansicpg1252\\deff0") -> str:
    inner = body.encode("ascii") if isinstance(body, str) else body
    return text_of(b"{\\rtf1" + head + inner + b"}", ".rtf")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r" Frost & Vane <5 >3 \{a\} C:\\b a_b", r"Frost & Vane <5 >3 {a} C:\b a_b"),
        (r" Room:\tab seven\cell", "Room: seven"),
        (r" 555\_0199 light\-house a\~b", "555-0199 lighthouse a\xa0b"),
        (" one\\line two\\par three\\\nfour", "one\ntwo\n\nthree\n\nfour"),
        (r" \ldblquote x\rdblquote \emdash \bullet  y", "“x”—• y"),
        (r" K\u228?lte \u8364? \u-10179?\u-9216?", "Kälte € 🐀"),
        (r" {\uc2 \u228\'aa\'bbx}{\uc0\u228 y}\u228{z}", "äxäyäz"),
        (r" {\upr{aa}{\*\ud{\u228?b}}}c", "äbc"),
        (r" caf\'e9 \'80", "café €"),
        (r" a{\v hidden}b{\deleted gone}c\v x\v0 d\v y\plain e", "abcde"),
        (r' {\field{\*\fldinst HYPERLINK "http://example.org"}{\fldrslt the page}} on', "the page on"),
        (r" {\field{\*\fldinst SYMBOL 97 \\f Symbol}{\fldrslt }}", "α"),
        (r" {\field{\*\fldinst MACROBUTTON x Click here}}", "Click here"),
        (r" a{\*\unknown b}{\xe c}{\*\bkmkstart d}e", "ae"),
        (r" a{\pict\pngblip 89504e470d0a}{\*\shppict{\pict 00ff}}{\nonshppict{\pict 00}}b", "ab"),
        (r" {\pict{\*\picprop{\sp{\sn wzDescription}{\sv Plan of the quay}}}89504e47}", "[Picture: Plan of the quay]"),
        (r" {\object{\*\objdata 0105}{\result seen}}", "seen"),
        (r" {\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt In the box.\par}}{\shprslt twice}}x", "x\n\nIn the box."),
        (r" {\*\htmltag64 <p>}\htmlrtf junk\htmlrtf0 seen", "seen"),
        (r"\outlinelevel1 Pans\par\pard salt", "## Pans\n\nsalt"),
        (r"{\listtext\f1\'b7\tab}\ilvl1 moss\par{\listtext 2.\tab}\ilvl0 oak\par", "- moss\n2. oak"),
    ],
)  # fmt: skip
def test_text(body: str, expected: str) -> None:
    found = _text(body)
    assert (found if "moss" not in body else found.lstrip()) == expected


def test_binary_pictures_are_passed_over() -> None:
    assert _text(b" a{\\pict\\bin12 }}}\\{{{\\'zz}}b") == "ab"


@pytest.mark.parametrize(
    ("charset", "codec", "words"),
    [
        (204, "cp1251", "Ключ под камнем"),
        (238, "cp1250", "Żółty płot"),
        (161, "cp1253", "Κλειδί εδώ"),
        (177, "cp1255", "המפתח כאן"),
        (128, "cp932", "鍵は表示能力の下"),
        (134, "gbk", "钥匙在门口"),
        (136, "cp950", "鑰匙許功蓋在門口"),
        (129, "cp949", "열쇠는 문 앞에"),
        (77, "mac_roman", "Clé du château"),
    ],
)
def test_fonts_have_code_pages(charset: int, codec: str, words: str) -> None:
    escaped = "".join(f"\\'{byte:02x}" for byte in words.encode(codec)).encode()
    fonts = b"{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fnil\\fcharset%d Other;}}" % charset
    assert _text(fonts + b"\\f0 caf\\'e9 \\f1 " + escaped + b"\\f0  \\'fc") == f"café {words} ü"
    trail_bytes_as_text = (
        words.encode(codec).replace(b"\\", b"\\\\").replace(b"{", b"\\{").replace(b"}", b"\\}")
    )
    assert _text(fonts + b"\\f1 " + trail_bytes_as_text) == words


def test_the_code_page_of_the_document_holds_without_fonts_of_their_own() -> None:
    escaped = "".join(f"\\'{byte:02x}" for byte in "Ключ".encode("cp1251")).encode()
    head = b"\\ansi\\ansicpg1251"
    assert _text(b" " + escaped, head) == "Ключ"
    assert _text(b"{\\fonttbl{\\f0\\fcharset0 Arial;}}\\f0 " + escaped, head) == "Ключ"
    assert _text(b" " + b"Cl\\'8e", b"\\mac") == "Clé"


def test_tables() -> None:
    def row(*cells: str) -> str:
        ends = "".join(f"\\cellx{at}000" for at in range(len(cells)))
        return f"\\trowd{ends}" + "".join(f"\\pard\\intbl {cell}\\cell" for cell in cells) + "\\row "

    inner = r"{\itap2 in\nestcell side\nestcell{\*\nesttableprops\trowd\nestrow}{\nonesttables\par}}\itap1 "
    body = row("Boat", r"Crew\par of men") + row("Gull", inner) + r"\pard After." + "\\par"
    assert _text(body) == "| Boat | Crew of men |\n| --- | --- |\n| Gull | in, side |\n\nAfter."
    assert _text(r"\trowd\cellx1 Pump\cell 830\cell\row\pard end") == "| Pump | 830 |\n| --- | --- |\n\nend"


def test_notes_comments_headers_and_footers() -> None:
    body = (
        r"{\header File 77\par}{\footer Signed\par}{\footerf \chpgn\par}\aftnnrlc"
        r" The oar{\super\chftn}{\footnote{\super\chftn} Of ash.\par And elm.}"
        r" and bell{\chftn}{\footnote\ftnalt {\chftn} Cast.}"
        r" or{\super *}{\footnote{\super *} Own mark.}\par"
        r" The boat leaks{\*\atnid JM}{\*\atnauthor Jo Marsh}{\chatn{\*\annotation{\*\atndate 1}Which one?}}.\par"
        r" Second{\chftn}{\footnote {\chftn} Two.}\par"
    )
    assert _text(body) == (
        "File 77\n\nThe oar[^1] and bell[^i] or*\n[^1]: Of ash.\n\n    And elm.\n[^i]: Cast.\n* Own mark.\n\n"
        "The boat leaks.\n[Comment by Jo Marsh: Which one?]\n\nSecond[^2]\n[^2]: Two.\n\nSigned"
    )


def test_styles_give_headings_and_the_title() -> None:
    styles = r"{\stylesheet{\s0 Normal;}{\s1\sbasedon0 heading 1;}{\s2 Title;}{\s3 Heading 3,h3;}{\*\cs4 heading 2;}}"
    info = (
        r"{\info{\title The papers}{\author Ida Brook}{\revtim\yr2024\mo5\dy6\hr7\min8}{\doccomm not this}}"
    )
    body = r"\pard\s2 Salt\par\pard\s1 Pans\par\pard\s3 Rakes\par\pard\cs4 Text.\par"
    content = content_of(("{\\rtf1\\ansi" + styles + info + body + "}").encode(), ".rtf")
    assert content.text == "# Salt\n\n# Pans\n\n### Rakes\n\nText."
    assert (content.title, content.author, content.date) == ("The papers", "Ida Brook", "2024-05-06T07:08")


def test_damaged_files_give_what_they_have() -> None:
    assert _text(r" a}}}} b") == "a b"
    assert _text(r" a{{{{\b b") == "ab"
    assert _text(b" a\\'4") == "a4"
    with pytest.raises(ExtractError) as refused:
        _text("{" * 100_000)
    assert refused.value.category == "too_large"
