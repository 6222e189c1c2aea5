#!/bin/sh
# xberg 1.3.9 (PyPI, MIT) reads AsciiDoc without its preprocessor: the text of a condition that does not hold is part of
# the result, and so are the lines `ifdef::`, `endif::` and the macro `footnote:[`.
#
# Input: a valid text in which the attribute `winter` is not set, with `ifdef::winter[]`, and with a footnote.
# Expected, as asciidoctor shows it: neither "The gate is frozen" nor any "ifdef", and the note below the text.
# Seen: 'Gate\n\nThe gate is open.footnote:[On weekdays.]\n\nifdef::winter[] The gate is frozen. endif::[]'
#
# Exits with 1 when that behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9
printf '= Gate\n\nThe gate is open.footnote:[On weekdays.]\n\nifdef::winter[]\nThe gate is frozen.\nendif::[]\n' > "$folder/gate.adoc"
cat > "$folder/read.py" <<'PYTHON'
import asyncio, os, sys, xberg

async def read():
    return await xberg.extract(xberg.ExtractInput(kind="uri", uri=sys.argv[1]))

text = asyncio.run(read()).results[0].content
print(repr(text), flush=True)
# The library's threads may end the interpreter with a signal, so it does not wait for them.
os._exit(0 if "frozen" in text and "ifdef::" in text and "footnote:[" in text else 1)
PYTHON
"$folder/venv/bin/python" "$folder/read.py" "$folder/gate.adoc"
