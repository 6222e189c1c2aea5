"""What the readers of XLSX and XLSB return once all sheets are collected. Pure; runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.opc import Package
from pipeline.extraction.spreadsheets.sheet import Workbook


def workbook_content(package: Package, workbook: Workbook) -> Content:
    """The text and warnings of a workbook, with the properties of its package.

    Raises ExtractError when no sheet could be read because they are damaged.
    """
    if not workbook.text and any("not read:" in each for each in workbook.warnings):
        raise ExtractError("corrupt", "This is an Excel workbook whose sheets are damaged.")
    about = package.properties()
    return Content(
        workbook.text,
        about.title,
        markdown=True,
        warnings=tuple(workbook.warnings),
        author=about.author,
        date=about.date,
        tags=about.tags,
    )
