#!/bin/sh
# pypdfium2 5.15.2 (PDFium 159): a glyph that stands for two Arabic letters gives them in the wrong order.
#
# Fonts draw lam and alef as one glyph; the font's ToUnicode map gives it the two characters, lam first (ISO 32000-1,
# 9.10.3: the characters of a code in logical order). PDFium turns a right-to-left line round character by character,
# the two of one glyph included. Every PDF that LibreOffice makes of an Arabic text is an example.
#
# Seen: FPDFText_GetText gives U+0627 U+0644 (alef, lam) for a glyph that is mapped to U+0644 U+0627.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypdfium2==5.15.2
cat > "$folder/try.py" <<'PYTHON'
import sys

import pypdfium2

CMAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange
2 beginbfchar <41> <06440627> <42> <0628> endbfchar
endcmap end end"""
GLYPH = "600 0 0 0 500 700 d1 0 0 500 700 re f"
PAGE = "BT /F1 20 Tf 100 700 Td (BA) Tj ET"  # from left to right: beh, then the glyph of lam and alef


def stream(content):
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    stream(PAGE),
    "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 600 700] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65"
    " /LastChar 66 /Widths [600 600] /CharProcs << /a 6 0 R /b 6 0 R >> /ToUnicode 7 0 R /Resources << >>"
    " /Encoding << /Type /Encoding /Differences [65 /a /b] >> >>",
    stream(GLYPH),
    stream(CMAP),
]
data, offsets = b"%PDF-1.4\n", []
for number, body in enumerate(objects, 1):
    offsets.append(len(data))
    data += f"{number} 0 obj\n{body}\nendobj\n".encode()
start = len(data)
data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
data += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()

text = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
print(text.encode("unicode_escape").decode())
sys.exit(0 if text == "\u0627\u0644\u0628" else 1)  # right: \u0644\u0627\u0628
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
