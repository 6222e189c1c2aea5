#!/bin/sh
# RTF characters above U+FFFF are lost by pandoc 3.9 (PyPI's pypandoc_binary 1.17) and by xberg 1.3.9.
#
# RTF 1.9.1 has one way to write such a character: the two code units of its UTF-16 form as two \u words, each with its
# own stand-in character for old readers. Word and LibreOffice write emoji and rare Han characters in that way.
# The file made here says "A rat \u-10179?\u-9216? and a fish.": U+1F400, the rat, is D83D DC00.
#
# Seen: pandoc takes each half for a character of its own, and writes "A rat " + U+FFFD U+FFFD + "and a fish.";
# xberg leaves both halves out: "A rat and a fish." Neither says that something is missing. LibreOffice shows the rat.
# Exits with 0 as long as neither of them finds the rat.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pypandoc_binary==1.17 xberg==1.3.9
printf '%s' '{\rtf1\ansi\ansicpg1252\uc1\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}}\pard A rat \u-10179?\u-9216?' \
    ' and a fish.\par}' > "$folder/rat.rtf"
cat > "$folder/try.py" <<'PYTHON'
import asyncio, sys

import pypandoc
import xberg


async def read():
    return await xberg.extract(xberg.ExtractInput(kind="uri", uri=sys.argv[1]), xberg.ExtractionConfig())


by_pandoc = pypandoc.convert_file(sys.argv[1], "plain", extra_args=["--wrap=none"]).strip()
by_xberg = asyncio.run(read()).results[0].content.strip()
print(pypandoc.get_pandoc_version(), ascii(by_pandoc), xberg.__version__, ascii(by_xberg))
assert "A rat" in by_pandoc and "and a fish." in by_pandoc and "A rat" in by_xberg
assert "\U0001f400" not in by_pandoc, "pandoc reads it now"
assert by_pandoc.count("\ufffd") == 2, "pandoc writes something else now"
assert "\U0001f400" not in by_xberg, "xberg reads it now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder/rat.rtf"
