"""Tables as texts: CSV, TSV and their relatives. Runs in the worker processes."""

from __future__ import annotations

import csv

from pipeline.extraction import encoding
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.spreadsheets import delimited


class DelimitedReader:
    """The table as Markdown; a text that is no table stays as it is, whatever its name."""

    def read(self, data: bytes, detected: Format) -> Content:
        text = encoding.decode(data)
        found = delimited.dialect(text)
        if found is None:
            return Content(text)
        try:
            return Content(delimited.markdown(text, found), markdown=True)
        except csv.Error:
            return Content(text)
