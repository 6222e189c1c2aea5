#!/bin/sh
# pandoc 3.9 (in PyPI's pypandoc_binary 1.17): a table inside a cell of an OpenDocument text is lost without a word.
#
# OpenDocument lets a cell hold any block, tables included (ODF 1.3 part 3, 9.1.4), and LibreOffice writes that for
# each nested table. The file made here has "outer" in one cell and a table with "inner left" and "inner right" in the
# next one. From a DOCX file with the same content pandoc does read the inner table.
#
# Seen: "outer" and "after" are there, "inner left" and "inner right" are nowhere in the output, with no warning.
# Exits with 0 as long as the inner table is missing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypandoc_binary==1.17
cat > "$folder/try.py" <<'PYTHON'
import sys, zipfile

import pypandoc

OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
KIND = "application/vnd.oasis.opendocument.text"
SPACES = " ".join(f'xmlns:{name}="{OASIS}{name}:1.0"' for name in ("office", "text", "table", "style"))

STYLES = "<office:styles/><office:automatic-styles/><office:master-styles/>"


def cell(inner):
    return f"<table:table-cell>{inner}</table:table-cell>"


def table(name, *cells):
    columns = f'<table:table-column table:number-columns-repeated="{len(cells)}"/>'
    return f'<table:table table:name="{name}">{columns}<table:table-row>{"".join(cells)}</table:table-row></table:table>'


def paragraph(text):
    return f"<text:p>{text}</text:p>"


inner = table("Inner", cell(paragraph("inner left")), cell(paragraph("inner right")))
body = table("Outer", cell(paragraph("outer")), cell(inner)) + paragraph("after")
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("mimetype", KIND)
    archive.writestr(
        "content.xml",
        f'<office:document-content {SPACES} office:version="1.3"><office:body><office:text>{body}</office:text>'
        "</office:body></office:document-content>",
    )
    archive.writestr("styles.xml", f'<office:document-styles {SPACES} office:version="1.3">{STYLES}</office:document-styles>')
    archive.writestr(
        "META-INF/manifest.xml",
        f'<m:manifest xmlns:m="{OASIS}manifest:1.0" m:version="1.3"><m:file-entry m:full-path="/" m:media-type="{KIND}"/>'
        '<m:file-entry m:full-path="content.xml" m:media-type="text/xml"/>'
        '<m:file-entry m:full-path="styles.xml" m:media-type="text/xml"/></m:manifest>',
    )

text = pypandoc.convert_file(sys.argv[1], "plain")
print(pypandoc.get_pandoc_version(), text, sep="\n")
assert "outer" in text and "after" in text, "the outer table is not read either"
assert "inner" not in text, "the inner table is read now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder/tables.odt"
