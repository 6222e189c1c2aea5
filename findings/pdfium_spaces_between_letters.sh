#!/bin/sh
# pypdfium2 5.15.2 (PDFium 159): whether the letters of a word that are drawn singly are one word depends on what else
# is on the page.
#
# Chromium draws each letter alone where the font's widths are rounded to pixels, as do other programs that place
# letters themselves. Read alone, such a line is right. With one more word on another line, at the right side of the page,
# PDFium ends the line after each letter of the first line, though they touch: it takes the page for one of which it
# does not know whether its lines are horizontal.
#
# Seen: "herons" alone; "h", "e", "r", "o", "n", "s" as lines with the word "right" on another line.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypdfium2==5.15.2
cat > "$folder/try.py" <<'PYTHON'
import sys

import pypdfium2

WIDTHS = {"h": 6.672, "e": 6.672, "r": 3.996, "o": 6.672, "n": 6.672, "s": 6.0}  # of Helvetica at 12 points


def drawn(x, y, text):
    return f"BT /F1 12 Tf 1 0 0 1 {x:.2f} {y} Tm ({text}) Tj ET\n"


def read(page):
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range().splitlines()


page, x = "", 60.0
for letter in "herons":
    page += drawn(x, 700, letter)
    x += WIDTHS[letter]
alone, beside = read(page), read(page + drawn(500, 660, "right"))
print(alone, beside)
sys.exit(0 if (alone, beside) == (["herons"], [*"herons", "right"]) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
