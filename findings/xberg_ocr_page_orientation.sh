#!/bin/sh
# xberg 1.3.9 (PyPI, MIT): `auto_rotate=True` ("auto-detect and correct image rotation") leaves turned pages unread.
#
# The same clean picture of 12 lines is recognised straight and turned by 90 and 180 degrees, with auto_rotate in
# OcrConfig and in ImagePreprocessingConfig, and with the default deskew=True askew by 8 degrees. Straight, all is read.
# Turned by 90 degrees the text has none of the words, and turned by 180 degrees none either; at 8 degrees a third of
# them are lost. No warning says so. The data (eng and osd) are those of Debian.
#
# Seen: 0 degrees: 71 of 71 words; 90: none; 180: none; 8: 48.
# Exits with 0 as long as straight text is read, and less than 60 of 71 words of text turned by 90 or 180 degrees.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9 pillow==13.0.0
(cd "$folder" && for package in tesseract-ocr-eng tesseract-ocr-osd; do
    apt-get download "$package" >/dev/null 2>&1
    dpkg -x "$package"*.deb data
done)
data=$(dirname "$(find "$folder/data" -name eng.traineddata)")
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import io
import os
import sys

import xberg
from PIL import Image, ImageDraw, ImageFont

LINES = [
    "the harbour office keeps a ledger", "of every vessel that moors here", "and the warden writes down tonnage",
    "before the bell rings at noon", "merchants receive a printed notice", "with amounts for timber and wool",
    "ferries pay half in winter months", "as the council agreed last spring", "nobody lowers an anchor near rope",
    "the crane lifts barrels until six", "lanterns hang along the old pier", "a clerk counts every sack twice",
]
page = Image.new("L", (1100, 1100), 250)
for number, line in enumerate(LINES):
    ImageDraw.Draw(page).text((150, 120 + 70 * number), line, fill=20, font=ImageFont.load_default(40))


async def text_of(degrees):
    file = io.BytesIO()
    page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=250).save(file, "PNG", dpi=(300, 300))
    steps = xberg.ImagePreprocessingConfig(auto_rotate=True)
    engine = xberg.TesseractConfig(language=["eng"], preprocessing=steps, use_cache=False, output_format="text")
    ocr = xberg.OcrConfig(
        language=["eng"], auto_rotate=True, tessdata_path=sys.argv[1], tesseract_config=engine
    )
    config = xberg.ExtractionConfig(use_cache=False, ocr=ocr, force_ocr=True)
    given = xberg.ExtractInput(kind="bytes", bytes=file.getvalue(), mime_type="image/png")
    return (await xberg.extract(given, config=config)).results[0].content


words = " ".join(LINES).split()


async def try_all():
    return {degrees: (await text_of(degrees)).split() for degrees in (0, 90, 180, 8)}


results = {degrees: sum(word in found for word in words) for degrees, found in asyncio.run(try_all()).items()}
print(results, "of", len(words), flush=True)
as_seen = results[0] == len(words) and results[90] < 60 and results[180] < 60
os._exit(0 if as_seen else 1)  # the library's threads are not waited for
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$data"
