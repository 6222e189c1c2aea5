#!/bin/sh
# CPython's email package (standard library; seen with 3.11.7): a comment behind the value of
# Content-Transfer-Encoding keeps the body from being decoded, and one in Content-Type becomes part of the type.
# RFC 2045 allows comments in both fields (they are structured fields in the sense of RFC 822; section 5.1 has the
# example `text/plain; charset=us-ascii (Plain text)`). policy.default, which parses the fields with a grammar, does the
# same as compat32: get_payload() and get_content_type() read the raw text of the field.
#
# Output seen (for both policies):
#   get_content_type() 'text/plain (a letter)', payload b'QSBsYW50ZXJuLg==\r\n'
#
# Exits with 0 while this is so, and with 1 once one of the two is read as the RFC says.
set -eu
python3 - <<'PYTHON'
import email
import email.policy
import sys

data = (
    b"MIME-Version: 1.0 (made by hand)\r\nContent-Type: text/plain (a letter); charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64 (for old servers)\r\n\r\nQSBsYW50ZXJuLg==\r\n"
)
seen = []
for policy in (email.policy.compat32, email.policy.default):
    message = email.message_from_bytes(data, policy=policy)
    kind, payload = message.get_content_type(), message.get_payload(decode=True)
    print(f"get_content_type() {kind!r}, payload {payload!r}")
    seen.append(kind == "text/plain (a letter)" and payload == b"QSBsYW50ZXJuLg==\r\n")
sys.exit(0 if all(seen) else 1)
PYTHON
