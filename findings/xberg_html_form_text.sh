#!/bin/sh
# xberg 1.3.9 (PyPI, MIT): text inside <form> and <textarea> of an HTML page is left out without a warning.
#
# Pages of ASP.NET Web Forms and SharePoint hold their whole content in one <form>, so such a page gives no text at all,
# and the result has no warning. The default configuration is used, in which navigation is removed; a form is none. The
# same page outside of the form gives its text.
#
# Seen: an empty text (a title only) for the page with the form, and "The lake permit costs nine crowns." without it.
# Exits with 0 as long as the sentence inside the form is missing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xberg==1.3.9
cat > "$folder/try.py" <<'PYTHON'
import asyncio

import xberg

PAGE = "<!DOCTYPE html><html><head><meta charset='utf-8'><title>Permits</title></head><body>{}</body></html>"
SENTENCE = "The lake permit costs nine crowns."


async def read(body):
    given = xberg.ExtractInput(kind="bytes", bytes=PAGE.format(body).encode(), mime_type="text/html")
    return (await xberg.extract(given, xberg.ExtractionConfig(output_format="markdown"))).results[0]


inside = asyncio.run(read(f"<form method='post' action='x.aspx'><div><p>{SENTENCE}</p></div></form>"))
outside = asyncio.run(read(f"<div><p>{SENTENCE}</p></div>"))
print(repr(inside.content), repr(outside.content))
assert SENTENCE in outside.content
assert SENTENCE not in inside.content, "the text inside a form is read now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
