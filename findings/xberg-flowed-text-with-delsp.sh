#!/bin/sh
# xberg 1.3.9 (PyPI): a plain-text e-mail in `format=flowed` with `delsp=yes` (RFC 3676) keeps the space in front of
# each soft line break, so that words of Japanese and Chinese, which have no spaces, are cut in two. RFC 3676, section
# 4.2, says that this space is deleted when the lines are joined; mail programs write such messages for languages
# without spaces.
#
# Output seen as Markdown (the text of the message is "レンズが割れました。"):
#   'レンズが割 れました。'
#
# Exits with 0 while this is so, and with 1 once the two halves are joined.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9 2>/dev/null
cd "$folder"
PYTHONIOENCODING=utf-8 "$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import pathlib
import sys

import xberg

pathlib.Path("a.eml").write_bytes(
    b"From: a@ridge.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + "レンズが割 \r\nれました。\r\n".encode()
)


async def read():
    found = await xberg.extract(xberg.ExtractInput(kind="uri", uri="a.eml"), xberg.ExtractionConfig(output_format="markdown"))
    return found.results[0].content


last = asyncio.run(read()).strip().splitlines()[-1]
print(repr(last))
sys.exit(0 if "レンズが割 れました" in last else 1)
PYTHON
