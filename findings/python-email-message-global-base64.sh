#!/bin/sh
# CPython's email package (standard library; seen with 3.11.7): an attached message/global part whose
# Content-Transfer-Encoding is base64 is parsed as a message without being decoded. RFC 6532, section 3.7, permits any
# transfer encoding for message/global (it is message/rfc822 that permits none). The inner subject, sender and text are
# lost: the part is "multipart", and its only payload is a message without headers whose body is the base64 text.
# Both policies, compat32 and default, do the same.
#
# Output seen:
#   compat32: subject None, payload 'U3ViamVjdDogSGFyYm91cg0KDQpBIGxhbnRlcm4uDQo='
#   default: subject None, payload 'U3ViamVjdDogSGFyYm91cg0KDQpBIGxhbnRlcm4uDQo='
#
# Exits with 0 while this is so, and with 1 once the inner message is decoded.
set -eu
python3 - <<'PYTHON'
import base64
import email
import email.policy
import sys

inner = base64.encodebytes(b"Subject: Harbour\r\n\r\nA lantern.\r\n")
data = (
    b"Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: message/global\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n" + inner.replace(b"\n", b"\r\n")
)
seen = []
for name in ("compat32", "default"):
    message = email.message_from_bytes(data, policy=getattr(email.policy, name))
    part = message.get_payload(0)
    print(f"{name}: subject {part['Subject']!r}, payload {part.get_payload().strip()!r}")
    seen.append(part["Subject"] is None and part.get_payload().strip() == inner.decode().strip())
sys.exit(0 if all(seen) else 1)
PYTHON
