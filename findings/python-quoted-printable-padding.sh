#!/bin/sh
# CPython's quopri and binascii.a2b_qp (standard library; seen with 3.11.7): a soft line break of quoted-printable is
# not one for them when spaces follow its "=": the "=" and the line end stay in the text. RFC 2045, section 6.7, has
# "transport-padding" there, spaces that a server may add, and says that receivers MUST be able to handle it.
# The email package decodes bodies with the same function, and records no defect.
#
# Output seen:
#   binascii b'har=  \r\nbour'
#   quopri b'har=  \r\nbour'
#   email b'har=  \r\nbour'
#
# Exits with 0 while this is so, and with 1 once one of the three gives b'harbour'.
set -eu
python3 - <<'PYTHON'
import binascii
import email
import quopri
import sys

body = b"har=  \r\nbour"
message = email.message_from_bytes(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + body)
found = {
    "binascii": binascii.a2b_qp(body),
    "quopri": quopri.decodestring(body),
    "email": message.get_payload(decode=True),
}
for name, text in found.items():
    print(name, text)
sys.exit(0 if all(text == body for text in found.values()) and not message.defects else 1)
PYTHON
