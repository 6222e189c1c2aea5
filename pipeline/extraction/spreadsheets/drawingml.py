"""The text of charts and SmartArt, which Word, PowerPoint and Excel files hold in parts of their own. Pure.

Knows nothing of packages: it gets the root elements of those parts. Runs in the worker processes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction.opc import DGM, A, C
from pipeline.extraction.spreadsheets import number_format

_CX = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"
_MAX_SERIES = 200
_MAX_LEVELS = 10  # of categories inside one another
_MAX_POINTS = 2_000  # values of a series; a chart of more is a picture of data, not text


def chart_text(root: Element) -> str:
    """A chart as Markdown: its titles, and its categories and values as table rows. Empty if it says nothing."""
    if root.tag.startswith(_CX):
        return _extended_chart(root)
    titles = [_words(title) for title in root.iter(f"{C}title")]
    lines = list(dict.fromkeys(title for title in titles if title))
    for plot in root.iter(f"{C}plotArea"):
        series = itertools.islice(plot.iter(f"{C}ser"), _MAX_SERIES)
        lines += _table([_series(each) for each in series])
    return "\n".join(lines)


def smartart_text(root: Element) -> str:
    """The texts of a SmartArt's data part as a Markdown list, nested as they are drawn."""
    texts = {}
    for point in root.iter(f"{DGM}pt"):
        if point.get("type", "node") in ("node", "asst", "doc"):
            texts[point.get("modelId", "")] = _words(point)
    children: dict[str, list[tuple[int, str]]] = {}
    inner = set()
    for link in root.iter(f"{DGM}cxn"):
        source, target = link.get("srcId", ""), link.get("destId", "")
        if link.get("type", "parOf") == "parOf" and source in texts and target in texts:
            children.setdefault(source, []).append((_number(link.get("srcOrd")), target))
            inner.add(target)
    lines: list[str] = []
    seen: set[str] = set()
    stack = [(each, 0) for each in reversed([each for each in texts if each not in inner])]
    while stack:
        point_id, level = stack.pop()
        if point_id in seen:
            continue
        seen.add(point_id)
        if texts[point_id]:
            lines.append(f"{'  ' * min(level, 8)}- {texts[point_id]}")
            level += 1
        stack += [(child, level) for _, child in sorted(children.get(point_id, ()), reverse=True)]
    return "\n".join(lines)


def _series(ser: Element) -> tuple[str, dict[int, str], dict[int, str]]:
    """Name, categories and values of a series, by their positions."""
    name_node = ser.find(f"{C}tx")
    name = " ".join(_points(name_node).values()) if name_node is not None else ""
    if not name and name_node is not None:
        name = _words(name_node) or " ".join((name_node.findtext(f"{C}v") or "").split())
    categories = next((_points(node) for node in ser if node.tag in (f"{C}cat", f"{C}xVal")), {})
    values = next((_points(node) for node in ser if node.tag in (f"{C}val", f"{C}yVal")), {})
    return name, categories, values


def _table(series: list[tuple[str, dict[int, str], dict[int, str]]]) -> Iterator[str]:
    """Rows with a column for each series; series with other categories have a table of their own."""
    while series:
        categories = series[0][1]
        together = [each for each in series if each[1] == categories or not each[1]]
        series = [each for each in series if each not in together]
        positions = sorted({*categories, *(at for each in together for at in each[2])})[:_MAX_POINTS]
        names = [name for name, _, _ in together]
        if positions:
            yield _row(["", *names])
            yield _row(["---"] * (len(names) + 1))
        elif any(names):
            yield ", ".join(name for name in names if name)
        for at in positions:
            yield _row([categories.get(at, str(at + 1)), *(values.get(at, "") for _, _, values in together)])


def _points(node: Element) -> dict[int, str]:
    """The cached texts or numbers by their positions; the levels of nested categories are joined, the outer first."""
    levels = list(node.iter(f"{C}lvl"))[:_MAX_LEVELS] or [node]
    common = next((each.text for each in node.iter(f"{C}formatCode")), None)
    found: dict[int, str] = {}
    for level in levels:
        own = {_number(point.get("idx")): _text(point, common) for point in level.iter(f"{C}pt")}
        found.update({at: f"{text} {found[at]}" if at in found else text for at, text in own.items()})
    return found


def _text(point: Element, common: str | None) -> str:
    text = " ".join((point.findtext(f"{C}v") or "").split())
    return _value(text, point.get("formatCode") or common)


def _value(text: str, code: str | None = None) -> str:
    """A cached number as its format shows it; without one, 0.30000000000000004 is 0.3."""
    try:
        number = float(text)
    except ValueError:
        return text
    if code:
        return number_format.shown(number, number_format.format_code(0, code))
    return f"{number:.12g}" if len(text) > 12 else text


def _extended_chart(root: Element) -> str:
    """The newer kinds: waterfall, treemap, funnel and so on."""
    lines = list(dict.fromkeys(filter(None, (_words(title) for title in root.iter(f"{_CX}title")))))
    for data in root.iter(f"{_CX}data"):
        columns = []
        for dimension in data:
            level = dimension.find(f"{_CX}lvl")
            if level is not None:
                columns.append(
                    [_value(" ".join((point.text or "").split())) for point in level.iter(f"{_CX}pt")]
                )
        rows = list(zip(*columns, strict=False))[:_MAX_POINTS]
        lines += [_row(row) for row in rows]
    return "\n".join(lines)


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _words(node: Element) -> str:
    """The text of the paragraphs in a node, on one line."""
    paragraphs = ("".join(_runs(paragraph)) for paragraph in node.iter(f"{A}p"))
    return " ".join(" ".join(paragraphs).split())


def _runs(paragraph: Element) -> Iterator[str]:
    for node in paragraph.iter():
        if node.tag == f"{A}t":
            yield node.text or ""
        elif node.tag == f"{A}br":
            yield " "


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
