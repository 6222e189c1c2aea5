"""Writes XLSX workbooks for tests: sheets as XML, with styles by their format codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from support.openxml import element, package


@dataclass
class SheetXml:
    """`rows` is the XML inside sheetData; `before` and `after` stand around it. `related`: (id, kind, part)."""

    name: str
    rows: str
    before: str = ""
    after: str = ""
    state: str = "visible"
    related: Sequence[tuple[str, str, str]] = ()


@dataclass
class Book:
    """`formats`: numbers of built-in formats, or codes; the style 0 is General, the style 1 the first of them."""

    sheets: Sequence[SheetXml]
    formats: Sequence[int | str] = ()
    strings: Sequence[str] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    relations: Mapping[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)
    properties: str = ""
    about: tuple[str, str, str] = ("", "", "")

    def data(self) -> bytes:
        names = ""
        relations: dict[str, list[tuple[str, str, str]]] = {
            "xl/workbook.xml": [("s", "styles", "xl/styles.xml"), ("t", "sharedStrings", "xl/strings.xml")]
        }
        parts: dict[str, str] = {}
        for number, sheet in enumerate(self.sheets, 1):
            part = f"xl/worksheets/sheet{number}.xml"
            names += f'<sheet name={quoteattr(sheet.name)} sheetId="{number}" state="{sheet.state}" r:id="w{number}"/>'
            relations["xl/workbook.xml"].append((f"w{number}", "worksheet", part))
            relations[part] = list(sheet.related)
            parts[part] = element(
                "worksheet", f"{sheet.before}<sheetData>{sheet.rows}</sheetData>{sheet.after}"
            )
        strings = "".join(
            each if each.startswith("<si>") else f"<si><t>{escape(each)}</t></si>" for each in self.strings
        )
        parts["xl/workbook.xml"] = element(
            "workbook", f"<workbookPr {self.properties}/><sheets>{names}</sheets>"
        )
        parts["xl/strings.xml"] = element("sst", strings)
        parts["xl/styles.xml"] = element("styleSheet", self._styles())
        if "xl/persons.xml" in self.parts:
            relations["xl/workbook.xml"].append(("p", "person", "xl/persons.xml"))
        return package(
            "xl/workbook.xml", {**parts, **self.parts}, {**relations, **self.relations}, self.about
        )

    def _styles(self) -> str:
        own = [code for code in self.formats if isinstance(code, str)]
        codes = "".join(
            f'<numFmt numFmtId="{164 + at}" formatCode={quoteattr(code)}/>' for at, code in enumerate(own)
        )
        numbers = [0, *(164 + own.index(each) if isinstance(each, str) else each for each in self.formats)]
        styles = "".join(f'<xf numFmtId="{number}"/>' for number in numbers)
        return f"<numFmts>{codes}</numFmts><cellXfs>{styles}</cellXfs>"


def row(number: int, *cells: str | float, hidden: bool = False, styles: Sequence[int] = ()) -> str:
    """A row; a text is an inline string, "" no cell, and what begins with < is XML."""
    found = ""
    for at, value in enumerate(cells):
        place = f"{chr(65 + at)}{number}"
        style = f' s="{styles[at]}"' if at < len(styles) and styles[at] else ""
        if isinstance(value, str) and value.startswith("<"):
            found += value
        elif isinstance(value, str):
            found += (
                f'<c r="{place}"{style} t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else ""
            )
        else:
            found += f'<c r="{place}"{style}><v>{value}</v></c>'
    return f'<row r="{number}"{" hidden=" + chr(34) + "1" + chr(34) if hidden else ""}>{found}</row>'
