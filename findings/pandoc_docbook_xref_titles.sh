#!/bin/sh
# pandoc 3.9 (pypandoc-binary 1.17 on PyPI): a DocBook <xref> to a procedure or an example prints the name of a template.
#
# An <xref> has no text of its own: what is printed is made of the title of the element that it leads to. For a figure
# and a table pandoc puts in the title. For <procedure> and <example>, which have a <title> in the same place in DocBook
# 4 and 5, it prints the words "procedure_title" and "example_title"; the manuals of Gnumeric in Debian
# (gnumeric-doc) are full of "figure_title" with pandoc 2.17 for the same reason.
#
# Seen: "See Tides, procedure_title, example_title." for a table, a procedure and an example.
# Exits with 0 as long as the titles of the procedure and the example are missing in that sentence.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypandoc-binary==1.17
cat > "$folder/try.py" <<'PYTHON'
import pypandoc

DOCUMENT = """<article xmlns="http://docbook.org/ns/docbook" version="5.0"><title>Harbour</title>
<table xml:id="t"><title>Tides</title><tgroup cols="1"><tbody><row><entry>high</entry></row></tbody></tgroup></table>
<procedure xml:id="p"><title>Mooring</title><step><para>Throw the line.</para></step></procedure>
<example xml:id="e"><title>Knots</title><para>A bowline.</para></example>
<para>See <xref linkend="t"/>, <xref linkend="p"/>, <xref linkend="e"/>.</para></article>"""

text = pypandoc.convert_text(DOCUMENT, "plain", format="docbook")
sentence = next(line for line in text.splitlines() if line.startswith("See"))
print(pypandoc.get_pandoc_version(), sentence)
assert "Tides" in sentence, "the title of the table is missing, too"
assert "Mooring" not in sentence and "Knots" not in sentence, "the titles are printed now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
