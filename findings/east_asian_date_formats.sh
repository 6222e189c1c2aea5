#!/bin/sh
# openpyxl 3.1.5: dates in the built-in number formats of the East Asian editions of Excel are given as numbers.
#
# ECMA-376 part 1, 18.8.30, gives the numbers 27 to 36 and 50 to 58 to dates and times of the Japanese, Chinese and
# Korean editions of Excel; a workbook made there names the number and no format code, so a reader has to know it.
# The workbook made here has the day 45000 (2023-03-15) in format 14 and in format 31, which Excel shows as a date.
#
# Seen: openpyxl gives datetime(2023, 3, 15) for format 14, and the integer 45000 with the format "General" for 31.
# python-calamine 0.9.1 gives a date for both. Exits with 0 as long as openpyxl's second value is a number.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1
cat > "$folder/try.py" <<'PYTHON'
import datetime
import sys
import zipfile

import openpyxl
import python_calamine

made, path = sys.argv[1] + "/made.xlsx", sys.argv[1] + "/dates.xlsx"
book = openpyxl.Workbook()
for place, code in (("A1", "mm-dd-yy"), ("B1", "0")):  # the codes of the numbers 14 and 1
    book.active[place] = 45000
    book.active[place].number_format = code
book.save(made)
with zipfile.ZipFile(made) as source, zipfile.ZipFile(path, "w") as copy:
    for name in source.namelist():
        content = source.read(name)
        if name == "xl/styles.xml":
            content = content.replace(b'numFmtId="1"', b'numFmtId="31"')
            assert b'numFmtId="14"' in content and b'numFmtId="31"' in content
        copy.writestr(name, content)

day = datetime.date(2023, 3, 15)
sheet = openpyxl.load_workbook(path).active
print("openpyxl:", repr(sheet["A1"].value), repr(sheet["B1"].value), sheet["B1"].number_format)
rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
print("python-calamine:", rows)
same = sheet["A1"].value.date() == day and sheet["B1"].value == 45000 and rows == [[day, day]]
sys.exit(0 if same else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
