#!/bin/sh
# xberg 1.3.9 (PyPI, MIT): a footnote and an endnote of a DOCX file with the same id get each other's numbers.
#
# Word numbers the ids of footnotes.xml and endnotes.xml apart, so nearly every document with notes of both kinds has
# the same ids twice (the first of each is 2 in what Word writes). The file made here has footnote 2 ("Of ash.") at the
# oar and endnote 2 ("Cast in bronze.") at the bell; it is valid, and LibreOffice shows it right.
#
# Seen: "The oar[^2] and the bell.[^2][^1][^2]" with "[^1]: Of ash." and "[^2]: Cast in bronze.": the mark at the oar
# leads to the endnote, and three marks stand at the end of the paragraph instead of one at the bell.
# Exits with 0 as long as the mark at the oar is not that of the note about ash.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9
cat > "$folder/try.py" <<'PYTHON'
import asyncio, re, sys, zipfile

import xberg

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml."
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def note(kind, text):
    lines = "".join(
        f'<w:{kind} w:type="{name}" w:id="{at}"><w:p><w:r><w:{name}/></w:r></w:p></w:{kind}>'
        for at, name in enumerate(("separator", "continuationSeparator"))
    )
    own = f'<w:{kind} w:id="2"><w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t>{text}</w:t></w:r></w:p></w:{kind}>'
    return f"<w:{kind}s {W}>{lines}{own}</w:{kind}s>"


def run(text):
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


body = (
    f'{run("The oar")}<w:r><w:footnoteReference w:id="2"/></w:r>'
    f'{run(" and the bell.")}<w:r><w:endnoteReference w:id="2"/></w:r>'
)
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    overrides = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{TYPES}{kind}+xml"/>'
        for name, kind in (("document", "document.main"), ("footnotes", "footnotes"), ("endnotes", "endnotes"))
    )
    archive.writestr(
        "[Content_Types].xml",
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
    )
    archive.writestr(
        "_rels/.rels",
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
        'Target="word/document.xml"/></Relationships>',
    )
    relations = "".join(
        f'<Relationship Id="rId{at}" Type="{OFFICE}/{kind}" Target="{kind}.xml"/>'
        for at, kind in enumerate(("footnotes", "endnotes"))
    )
    archive.writestr(
        "word/_rels/document.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>'
    )
    archive.writestr("word/document.xml", f"<w:document {W}><w:body><w:p>{body}</w:p></w:body></w:document>")
    archive.writestr("word/footnotes.xml", note("footnote", "Of ash."))
    archive.writestr("word/endnotes.xml", note("endnote", "Cast in bronze."))


async def read():
    given = xberg.ExtractInput(kind="uri", uri=sys.argv[1])
    return await xberg.extract(given, xberg.ExtractionConfig(output_format="markdown"))


text = asyncio.run(read()).results[0].content
print(text)
mark = re.search(r"oar\[\^([^\]]+)\]", text)
ash = re.search(r"\[\^([^\]]+)\]:\s+Of ash\.", text)
assert mark and ash, "the notes are written in another way now"
assert mark[1] != ash[1], "the mark at the oar leads to the note about ash now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder/notes.docx"
