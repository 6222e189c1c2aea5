#!/bin/sh
# pymilvus 3.0.2: `import pymilvus` puts what stands in a file .env near it into the environment of the process.
#
# It calls python-dotenv's load_dotenv() without a path, which looks in the folder of the calling module and in every
# folder above: with a virtual environment inside a project, that is the project's own .env, which is meant for another
# program (docker compose, for example). Variables that were set before stay.
#
# Seen: a variable of the project's .env is in os.environ after the import.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymilvus==3.0.2 python-dotenv==1.2.4
echo 'DATABASE_PASSWORD=of-another-program' > "$folder/.env"
cat > "$folder/try.py" <<'PYTHON'
import os
import sys

before = os.environ.get("DATABASE_PASSWORD")
import pymilvus

after = os.environ.get("DATABASE_PASSWORD")
print(pymilvus.__version__, "before:", before, "after:", after)
sys.exit(0 if before is None and after == "of-another-program" else 1)
PYTHON
cd /
"$folder/venv/bin/python" "$folder/try.py"
