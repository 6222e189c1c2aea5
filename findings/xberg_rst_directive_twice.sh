#!/bin/sh
# xberg 1.3.9 (PyPI, MIT) writes the text of a reStructuredText directive twice when it stands on the directive's own
# line, keeps the directive's name in the text, and leaves the name of a role.
#
# Input: a valid text with `.. note:: Mind the gap.` and the role :ref:`the gate <gate>`.
# Expected, as docutils and Sphinx show it: "Mind the gap." once, and "the gate".
# Seen: 'Gate\nSee :ref:the gate <gate>.\n\nnote:: Mind the gap.\n\nnote:: Mind the gap.'
#
# Exits with 1 when that behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9
printf 'Gate\n====\n\nSee :ref:`the gate <gate>`.\n\n.. note:: Mind the gap.\n' > "$folder/gate.rst"
cat > "$folder/read.py" <<'PYTHON'
import asyncio, os, sys, xberg

async def read():
    return await xberg.extract(xberg.ExtractInput(kind="uri", uri=sys.argv[1]))

text = asyncio.run(read()).results[0].content
print(repr(text), flush=True)
# The library's threads may end the interpreter with a signal, so it does not wait for them.
os._exit(0 if text.count("Mind the gap.") == 2 and ":ref:" in text and "note::" in text else 1)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" "$folder/gate.rst"
