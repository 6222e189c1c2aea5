#!/bin/sh
# xberg 1.3.9: of two members of a ZIP archive that have the same name, the elder is lost without a word.
#
# A ZIP archive may hold a name twice: archives that are appended to do, and Python's zipfile lists and reads both
# members. The archive made here has 3 members, two of them called diary.txt.
#
# Seen: `content` counts "2 files" and holds "The younger entry." alone; the children are diary.txt and other.txt, with
# no processing warning. kreuzberg 4.10.4 does the same.
# Exits with 0 as long as the elder member is missing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9
cat > "$folder/try.py" <<'PYTHON'
import asyncio, sys, warnings, zipfile

import xberg

warnings.simplefilter("ignore")
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("diary.txt", "The elder entry.")
    archive.writestr("other.txt", "Another note.")
    archive.writestr("diary.txt", "The younger entry.")
result = asyncio.run(xberg.extract(xberg.ExtractInput(kind="uri", uri=sys.argv[1])))
[document] = result.results
print(document.content)
children = sorted(child.path for child in document.children)
print(children, result.errors, document.processing_warnings)
assert "The younger entry." in document.content and "Another note." in document.content
assert "The elder entry." not in document.content, "both members are read now"
assert children == ["diary.txt", "other.txt"], children
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder/notes.zip"
