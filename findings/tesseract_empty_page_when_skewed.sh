#!/bin/sh
# Tesseract (tesserocr 2.13.0, PyPI, MIT; the library inside is Apache-2.0; data: Debian's tesseract-ocr-eng): a clean
# page that lies 8 degrees askew is an "empty page" for the default page segmentation, which reads it at 5 degrees.
#
# The page has 30 lines of large, clean text. Fully automatic segmentation (PSM 3, the default) reads all of it while
# the page is straight or 5 degrees askew. At 8 degrees it returns no text at all, without an error, and the mean
# confidence is that of nothing; the same page read as one block (PSM 6) still gives nearly every word. So an empty
# result does not mean that a page has no text: skew is to be corrected first.
#
# Seen with tesseract 5.5.4: 5 degrees PSM 3: 267 of 270 words; 8 degrees PSM 3: none; 8 degrees PSM 6: 260.
# Exits with 0 as long as that is so (more than 200, none, more than 200).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tesserocr==2.13.0 pillow==13.0.0
(cd "$folder" && apt-get download tesseract-ocr-eng >/dev/null 2>&1 && dpkg -x tesseract-ocr-eng*.deb data)
data=$(dirname "$(find "$folder/data" -name eng.traineddata)")
cat > "$folder/try.py" <<'PYTHON'
import random
import sys

import tesserocr
from PIL import Image, ImageDraw, ImageFont

WORDS = "harbour office keeps ledger every vessel moors northern quay warden writes cargo captain before noon".split()
choose = random.Random(1)
lines = [" ".join(choose.choice(WORDS) for _ in range(9)) for _ in range(30)]
font = ImageFont.load_default(30)
page = Image.new("L", (1654, 2338), 245)
for number, line in enumerate(lines):
    ImageDraw.Draw(page).text((160, 180 + 45 * number), line, fill=20, font=font)


def words_read(degrees, segmentation):
    skewed = page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=245)
    with tesserocr.PyTessBaseAPI(path=sys.argv[1], lang="eng", psm=segmentation) as api:
        api.SetImage(skewed)
        api.SetSourceResolution(200)
        found = api.GetUTF8Text().split()
    return sum(min(found.count(word), " ".join(lines).split().count(word)) for word in WORDS)


results = [words_read(5, 3), words_read(8, 3), words_read(8, 6)]
print(tesserocr.tesseract_version().split("\n")[0], results, "of", 30 * 9)
assert results[0] > 200 and results[1] == 0 and results[2] > 200, results
PYTHON
OMP_THREAD_LIMIT=1 "$folder/venv/bin/python" "$folder/try.py" "$data"
