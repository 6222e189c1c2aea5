"""Spreadsheets as Markdown: a heading for each sheet, and its tables. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.odf import OpenDocument
from pipeline.extraction.opc import Package
from pipeline.extraction.spreadsheets import excel_xml, ods, xls, xlsb, xlsx


class WorkbookReader:
    """What the sheets show, with their comments."""

    def read(self, data: bytes, detected: Format) -> Content:
        package = Package(data)
        return xlsb.read(package) if package.main().endswith(".bin") else xlsx.read(package)


class OpenSpreadsheetReader:
    """OpenDocument spreadsheets, packed or flat."""

    def read(self, data: bytes, detected: Format) -> Content:
        return ods.read(OpenDocument(data))


class OldWorkbookReader:
    """Excel workbooks of before 2007."""

    def read(self, data: bytes, detected: Format) -> Content:
        return xls.read(data)


class ExcelXmlReader:
    """Excel workbooks in the XML of 2003."""

    def read(self, data: bytes, detected: Format) -> Content:
        return excel_xml.read(data)
