"""PowerPoint presentations: every kind of shape, notes, comments, sections, and damaged slides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from support.openxml import element, package

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.presentation import PresentationReader

_FORMAT = Format(
    "application/vnd.openxmlformats-officedocument.presentationml.presentation", "a presentation"
)
_Relations = Sequence[tuple[str, str, str]]
_MODERN = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"


def _read(
    slides: Sequence[str],
    related: Mapping[int, _Relations] | None = None,
    parts: Mapping[str, str] | None = None,
    extra: str = "",
    main: _Relations = (),
) -> Content:
    """`slides`: the shapes of each, or a whole part; `related`: the relations of a slide, by its number."""
    names = [f"ppt/slides/slide{number}.xml" for number in range(1, len(slides) + 1)]
    listed = "".join(f'<p:sldId id="{255 + at}" r:id="s{at}"/>' for at in range(1, len(slides) + 1))
    relations = {"ppt/p.xml": [*((f"s{at}", "slide", name) for at, name in enumerate(names, 1)), *main]}
    relations |= {names[number - 1]: list(found) for number, found in (related or {}).items()}
    written = {
        name: shapes if shapes.startswith("<p:sld") else _slide(shapes)
        for name, shapes in zip(names, slides, strict=True)
    }
    written["ppt/p.xml"] = element("p:presentation", f"<p:sldIdLst>{listed}</p:sldIdLst>{extra}")
    return PresentationReader().read(package("ppt/p.xml", {**written, **(parts or {})}, relations), _FORMAT)


def _slide(shapes: str, attributes: str = "") -> str:
    return element("p:sld", f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>", attributes)


def _shape(text: str, holder: str = "", top: int | None = None, left: int = 0, width: int = 100) -> str:
    """`text`: paragraphs of plain text divided by line breaks, or the XML of paragraphs."""
    placeholder = f"<p:ph {holder}/>" if holder else ""
    place = (
        "" if top is None else f'<a:xfrm><a:off x="{left}" y="{top}"/><a:ext cx="{width}" cy="50"/></a:xfrm>'
    )
    lines = (
        text
        if text.startswith("<a:p>")
        else "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    )
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="x"/><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr>'
        f"<p:spPr>{place}</p:spPr><p:txBody>{lines}</p:txBody></p:sp>"
    )


def _frame(content: str) -> str:
    return f"<p:graphicFrame><a:graphic><a:graphicData>{content}</a:graphicData></a:graphic></p:graphicFrame>"


def test_titles_lists_and_text_boxes() -> None:
    numbered = (
        '<a:p><a:pPr><a:buAutoNum type="arabicPeriod" startAt="3"/></a:pPr><a:r><a:t>third</a:t></a:r></a:p>'
        '<a:p><a:pPr><a:buAutoNum type="arabicPeriod" startAt="3"/></a:pPr><a:r><a:t>fourth</a:t></a:r></a:p>'
    )
    levels = (
        "<a:p><a:r><a:t>Nuts &amp; </a:t></a:r><a:r><a:t>bolts</a:t></a:r><a:br/><a:r><a:t>&lt;M8&gt;</a:t></a:r></a:p>"
        '<a:p><a:pPr lvl="1"/><a:r><a:t>inner</a:t></a:r></a:p><a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>plain</a:t></a:r></a:p>'  # noqa: E501
    )
    shapes = [
        _shape("Tool shed", 'type="ctrTitle"'),
        _shape(levels, 'idx="1"'),
        _shape(numbered),
        _shape("# free"),
    ]
    assert _read(["".join(shapes)]).text == (
        "## Tool shed\n\n- Nuts & bolts\n  <M8>\n  - inner\n\nplain\n\n3. third\n4. fourth\n\n\\# free"
    )


def test_placeholders_of_numbers_and_dates_are_left_out_and_footers_read_once() -> None:
    today = '<a:p><a:fld type="datetime1"><a:t>1/2/2024</a:t></a:fld></a:p>'
    running = _shape("7", 'type="sldNum"') + _shape(today, 'type="dt"') + _shape("Shed society", 'type="ftr"')
    content = _read([_shape("one") + running, _shape("two") + running])
    assert content.text == "one\n\nShed society\n\ntwo"
    assert content.pages == ((1, 0), (2, 19))


def test_shapes_are_read_from_the_top_where_their_order_is_odd() -> None:
    odd = (
        _shape("third", top=300)
        + _shape("second", top=200, left=200)
        + _shape("first", top=200)
        + _shape("top", top=0)
    )
    assert _read([odd]).text.split("\n\n") == ["top", "first", "second", "third"]
    columns = _shape("left", top=100) + _shape("left below", top=200) + _shape("right", top=100, left=200)
    assert _read([columns]).text.split("\n\n") == ["left", "left below", "right"]


def test_placeholders_stand_where_the_layout_puts_them() -> None:
    layout = element(
        "p:sldLayout",
        _shape("Click to edit", 'type="body" idx="4"', top=500) + _shape("x", 'type="title"', top=0),
    )
    slide = _shape("bottom", 'type="body" idx="4"') + _shape("middle", top=200)
    content = _read([slide], {1: [("l", "slideLayout", "ppt/l.xml")]}, {"ppt/l.xml": layout})
    assert content.text == "middle\n\n- bottom"


def test_groups_tables_pictures_and_alternates() -> None:
    table = (
        "<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Tool</a:t></a:r></a:p></a:txBody></a:tc>"
        '<a:tc gridSpan="2"><a:txBody><a:p><a:r><a:t>Price</a:t></a:r></a:p></a:txBody></a:tc><a:tc hMerge="1"><a:txBody/></a:tc></a:tr>'  # noqa: E501
        "<a:tr><a:tc><a:txBody><a:p><a:r><a:t>Saw</a:t></a:r></a:p></a:txBody></a:tc>"
        "<a:tc><a:txBody><a:p><a:r><a:t>12</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p/></a:txBody></a:tc></a:tr></a:tbl>"
    )
    picture = '<p:pic><p:nvPicPr><p:cNvPr id="3" name="p" descr="{}"/></p:nvPicPr></p:pic>'
    shapes = [
        f"<p:grpSp><p:grpSpPr/><p:grpSp>{_shape('grouped')}</p:grpSp></p:grpSp>",
        _frame(table),
        picture.format("A bench plane on oak"),
        picture.format("C:\\shots\\IMG_001.png"),
        f"<mc:AlternateContent><mc:Choice>{_shape('chosen')}</mc:Choice><mc:Fallback>{_shape('other')}</mc:Fallback></mc:AlternateContent>",
        _frame('<p:oleObj progId="Excel.Sheet.12"/>'),
    ]
    content = _read(["".join(shapes)])
    assert content.text.split("\n\n") == [
        "grouped",
        "| Tool | Price |\n|-|-|\n| Saw | 12 |",
        "A bench plane on oak",
        "chosen",
    ]
    assert content.warnings == ("Slide 1: An embedded object (Excel.Sheet.12) is not read.",)


def test_charts_and_smartart() -> None:
    series = (
        "<c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>Sold</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        "<c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>Rasps</c:v></c:pt></c:strCache></c:strRef></c:cat>"
        "<c:val><c:numRef><c:numCache><c:pt idx='0'><c:v>41</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser>"
    )
    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Tools sold</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    points = "".join(
        f"<dgm:pt modelId='{at}'><dgm:t><a:p><a:r><a:t>{text}</a:t></a:r></a:p></dgm:t></dgm:pt>"
        for at, text in enumerate(("Measure", "Cut"), 1)
    )
    parts = {
        "ppt/c.xml": element("c:chartSpace", f"<c:chart>{title}<c:plotArea>{series}</c:plotArea></c:chart>"),
        "ppt/d.xml": element("dgm:dataModel", f"<dgm:ptLst>{points}</dgm:ptLst>"),
    }
    related = {1: [("c", "chart", "ppt/c.xml"), ("d", "diagramData", "ppt/d.xml")]}
    shapes = (
        _frame('<c:chart r:id="c"/>') + _frame('<dgm:relIds r:dm="d"/>') + _frame('<c:chart r:id="gone"/>')
    )
    content = _read([shapes], related, parts)
    assert all(text in content.text for text in ("Tools sold", "| Rasps | 41 |", "- Measure\n- Cut"))
    assert content.warnings == ("Slide 1: A chart is damaged and not read.",)


def test_notes_comments_and_authors() -> None:
    notes = (
        _shape("Show the\nnew saw", 'type="body" idx="1"')
        + _shape("3", 'type="sldNum"')
        + _shape("x", 'type="sldImg"')
    )
    parts = {
        "ppt/n.xml": element("p:notes", f"<p:cSld><p:spTree>{notes}</p:spTree></p:cSld>"),
        "ppt/old.xml": element("p:cmLst", '<p:cm authorId="0"><p:text>Too loud</p:text></p:cm>'),
        "ppt/new.xml": f'<m:cmLst xmlns:m="{_MODERN}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        '<m:cm authorId="{A}"><m:replyLst><m:reply authorId="{A}"><m:txBody><a:p><a:r><a:t>Done</a:t></a:r></a:p></m:txBody>'  # noqa: E501
        "</m:reply></m:replyLst><m:txBody><a:p><a:r><a:t>Add a hat</a:t></a:r></a:p></m:txBody></m:cm></m:cmLst>",
        "ppt/a.xml": element("p:cmAuthorLst", '<p:cmAuthor id="0" name="Ole"/>'),
        "ppt/b.xml": f'<m:authorLst xmlns:m="{_MODERN}"><m:author id="{{A}}" name="Pia"/></m:authorLst>',
    }
    related = {
        1: [
            ("n", "notesSlide", "ppt/n.xml"),
            ("o", "comments", "ppt/old.xml"),
            ("m", "comments", "ppt/new.xml"),
        ]
    }
    main = [("a", "commentAuthors", "ppt/a.xml"), ("b", "authors", "ppt/b.xml")]
    assert _read([_shape("Saws", 'type="title"')], related, parts, main=main).text.split("\n\n") == [
        "## Saws",
        "Speaker notes: Show the",
        "new saw",
        "Comment by Ole: Too loud",
        "Comment by Pia: Add a hat",
        "Reply by Pia: Done",
    ]


def test_sections_hidden_slides_and_titles() -> None:
    sections = (
        '<p14:sectionLst xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main"><p14:section name="Hand tools">'  # noqa: E501
        '<p14:sldIdLst><p14:sldId id="256"/></p14:sldIdLst></p14:section><p14:section name="Default Section">'
        '<p14:sldIdLst><p14:sldId id="257"/></p14:sldIdLst></p14:section></p14:sectionLst>'
    )
    title = _shape("Planes", 'type="title"')
    content = _read([title, _slide(_shape("spare"), 'show="0"')], extra=sections)
    assert content.text == "# Hand tools\n\n## Planes\n\n(This slide is hidden in the show.)\n\nspare"
    assert content.title == "Planes"


def test_a_damaged_slide_costs_itself() -> None:
    content = _read(["<p:sld>", _shape("sound")])
    assert content.text == "sound"
    assert content.pages == ((1, 0), (2, 0))
    assert content.warnings == ("Slide 1 is not read: The file holds XML that is damaged.",)
    with pytest.raises(ExtractError):
        _read(["<p:sld>", "<p:sld"])
