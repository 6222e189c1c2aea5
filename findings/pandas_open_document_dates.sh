#!/bin/sh
# pandas 3.1.1 (with odfpy 1.4.1): a date in an OpenDocument spreadsheet is written with the text "03/04/26".
#
# A cell has its value as an attribute (office:date-value) and what it shows as paragraphs (ODF 1.3 part 3, 9.1.4 and
# 19.370). DataFrame.to_excel(engine="odf") writes the attribute right and strftime's "%x" and "%c" as the paragraph, so
# 4 March 2026 has the text of 3 April, or of 26 March 2004, to every program that reads the text, and its time the name
# of a weekday. The same call writes 2026-03-04 into an XLSX file.
#
# Seen: office:date-value="2026-03-04" beside the text "03/04/26", and 2026-03-04T10:05:00 beside
# "Wed Mar  4 10:05:00 2026". Exits with 0 as long as the texts are those.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 odfpy==1.4.1
cat > "$folder/try.py" <<'PYTHON'
import datetime
import re
import sys
import zipfile

import pandas

path = sys.argv[1] + "/dates.ods"
moment = datetime.datetime(2026, 3, 4, 10, 5)
pandas.DataFrame({"Day": [moment.date()], "Time": [moment]}).to_excel(path, engine="odf", index=False)
content = zipfile.ZipFile(path).read("content.xml").decode()
found = re.findall(r'office:date-value="([^"]+)"[^>]*><text:p>([^<]*)</text:p>', content)
print(found)
seen = [("2026-03-04", "03/04/26"), ("2026-03-04T10:05:00", "Wed Mar  4 10:05:00 2026")]
sys.exit(0 if found == seen else 1)
PYTHON
LC_ALL=C "$folder/venv/bin/python" "$folder/try.py" "$folder"
