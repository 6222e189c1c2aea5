#!/bin/sh
# Pillow 13.0.0 (PyPI, MIT-CMU): the format "MPO" can be written and is reported, but cannot be asked for.
#
# Image.open(file).format is "MPO" for a multi-picture JPEG (as phones write them), and Image.save takes "MPO". A
# program that lists the formats it accepts, by these names, gets a KeyError from Image.open(file, formats=[...]):
# always with ["MPO"], and with ["JPEG", "MPO"] only for files that are no JPEG - where the documentation promises
# UnidentifiedImageError. MPO files are opened by "JPEG".
#
# Seen: MPO, KeyError: 'MPO', MPO, KeyError: 'MPO' for the four calls below.
# Exits with 0 as long as these are the results.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
cat > "$folder/try.py" <<'PYTHON'
import io

from PIL import Image

first, second = (Image.new("L", (8, 8), grey) for grey in (0, 255))
written = io.BytesIO()
first.save(written, "MPO", save_all=True, append_images=[second])
portable = io.BytesIO()
first.save(portable, "PPM")


def opened(data, formats):
    try:
        return Image.open(io.BytesIO(data), formats=formats).format
    except Exception as error:
        return f"{type(error).__name__}: {error}"


results = [
    opened(written.getvalue(), None),
    opened(written.getvalue(), ["MPO"]),
    opened(written.getvalue(), ["JPEG", "MPO"]),
    opened(portable.getvalue(), ["JPEG", "MPO"]),
]
print(*results, sep="\n")
assert results == ["MPO", "KeyError: 'MPO'", "MPO", "KeyError: 'MPO'"], results
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
