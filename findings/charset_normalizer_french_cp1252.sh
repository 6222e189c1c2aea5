#!/bin/sh
# charset-normalizer 3.5.2: a French sentence in Windows-1252 is taken for a Central European one.
#
# Windows-1252 is what Excel writes on a Western Windows for "CSV". Its è, ê, à and ù are the bytes that Windows-1250
# has for č, ę, ŕ and ů, so both decode; only one of the two texts is in a language.
#
# Seen: from_bytes(...).best() names cp1250, and the text reads "Le trčs vieux chęne était prčs de la rivičre".
# Exits with 0 as long as the best match is not a Western European encoding.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check charset-normalizer==3.5.2
cat > "$folder/try.py" <<'PYTHON'
import sys

from charset_normalizer import from_bytes

SENTENCE = "Le très vieux chêne était près de la rivière, où même les bêtes s'arrêtaient pour boire.\n"
best = from_bytes(SENTENCE.encode("cp1252")).best()
print(best.encoding, str(best).strip())
sys.exit(0 if best.encoding == "cp1250" and str(best) != SENTENCE else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
