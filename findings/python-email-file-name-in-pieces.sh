#!/bin/sh
# CPython's email package (standard library; seen with 3.11.7): with policy.default, a file name in pieces (RFC 2231)
# in ISO-2022-JP comes out as "F|K\.txt"; with the older compat32 it is read right, as "日本.txt". The default policy
# decodes each piece on its own; the charset has states, and the escape that switches to Japanese is in the piece before.
# RFC 2231, section 4.1, declares the charset once, for the value that the pieces make together. Pieces that cut a
# character of UTF-8 in two are joined right by both policies, so the fault shows with charsets that have states only.
#
# Output seen:
#   compat32 '日本.txt'
#   default 'F|K\\.txt'
#
# Exits with 0 while this is so, and with 1 once both policies read the same name.
set -eu
PYTHONIOENCODING=utf-8 python3 - <<'PYTHON'
import email
import email.policy
import sys

data = (
    b"Content-Disposition: attachment; filename*0*=iso-2022-jp''%1B$B;\r\n"
    b" filename*1*=F|K%5C%1B%28B.txt\r\n\r\n"
)
names = {
    name: email.message_from_bytes(data, policy=getattr(email.policy, name)).get_filename()
    for name in ("compat32", "default")
}
for name, found in names.items():
    print(name, repr(found))
sys.exit(0 if names["compat32"] == "日本.txt" and names["default"] != "日本.txt" else 1)
PYTHON
