#!/bin/sh
# xberg 1.3.9: a time in an OpenDocument spreadsheet is given in its XML form, not as the sheet shows it.
#
# A cell has its value as an attribute (office:time-value, an XML Schema duration) and what it shows as paragraphs
# (ODF 1.3 part 3, 9.1.4 and 19.387). The spreadsheet made here with odfpy shows 9:30 and 25%.
#
# Seen: the row is "| DURATION: PT09H30M00S | 0.25 |", so neither 9:30 nor 25% can be found.
# Exits with 0 as long as the time is given that way.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9 odfpy==1.4.1
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import os
import sys

import xberg
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

path = sys.argv[1] + "/times.ods"
document = OpenDocumentSpreadsheet()
table, row = Table(name="Ferry"), TableRow()
for text, value in (
    ("9:30", {"valuetype": "time", "timevalue": "PT09H30M00S"}),
    ("25%", {"valuetype": "percentage", "value": "0.25"}),
):
    cell = TableCell(**value)
    cell.addElement(P(text=text))
    row.addElement(cell)
table.addElement(row)
document.spreadsheet.addElement(table)
document.save(path)


async def read():
    wanted = xberg.ExtractInput(kind="uri", uri=path)
    return await xberg.extract(wanted, xberg.ExtractionConfig(output_format="markdown"))


text = asyncio.run(read()).results[0].content
print(text, flush=True)
os._exit(0 if "PT09H30M00S" in text and "9:30" not in text else 1)  # the library's threads may abort a usual exit
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
