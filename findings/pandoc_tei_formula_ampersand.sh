#!/bin/sh
# pandoc 3.9 (pypandoc-binary 1.17 on PyPI): a formula with "&" or "<" makes the TEI that it writes no XML.
#
# The writer of TEI puts the TeX source of a formula into <formula notation="TeX"> as it is, without escaping it, while
# all other text is escaped. Every matrix and every aligned equation has "&" between its columns, and inequalities have
# "<", so that no XML parser reads the file. The writers of DocBook and JATS escape the same source.
#
# Seen: "not well-formed (invalid token)" for TEI; DocBook and JATS are parsed.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypandoc-binary==1.17
cat > "$folder/try.py" <<'PYTHON'
from xml.etree.ElementTree import ParseError, fromstring

import pypandoc

DOCUMENT = r"Tides & winds: $\begin{pmatrix}1 & 2\end{pmatrix}$, and $a < b$."

print("pandoc", pypandoc.get_pandoc_version())
results = {}
for name in ("tei", "docbook5", "jats"):
    text = pypandoc.convert_text(DOCUMENT, name, format="markdown", extra_args=["--standalone"])
    try:
        fromstring(text.encode())
        results[name] = "XML"
    except ParseError as error:
        results[name] = str(error).partition(":")[0]
    print(name, results[name])
    assert "Tides &amp; winds" in text
assert results["docbook5"] == results["jats"] == "XML", "the others are no XML, either"
assert results["tei"] == "not well-formed (invalid token)", "the TEI can be parsed now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
