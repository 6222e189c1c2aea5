#!/bin/sh
# PyYAML 6.0.3: a value that looks like a date but is none, as 2026-02-30, ends in ValueError instead of a YAMLError.
#
# The YAML is valid: only the implicit type of the value cannot be made. A program that catches yaml.YAMLError, the base of
# the library's documented errors, does not catch it, with the loader in Python nor with that of libyaml.
#
# Seen: "ValueError: day is out of range for month" from both loaders.
# Exits with 0 as long as both raise ValueError.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check PyYAML==6.0.3
cat > "$folder/try.py" <<'PYTHON'
import sys

import yaml

raised = []
for loader in (yaml.SafeLoader, yaml.CSafeLoader):
    try:
        print(yaml.load("due: 2026-02-30\n", Loader=loader))
    except yaml.YAMLError as error:
        print(loader.__name__, "YAMLError:", error)
    except ValueError as error:
        print(loader.__name__, "ValueError:", error)
        raised.append(loader)
sys.exit(0 if len(raised) == 2 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
