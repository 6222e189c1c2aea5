"""Signed S/MIME messages, in both ways of writing lengths."""

from __future__ import annotations

import base64
import zlib

import pytest
from support.mail import body, mail, multipart, read

from pipeline.extraction.content import ExtractError
from pipeline.extraction.mail import cms

_SIGNED = bytes.fromhex("06092a864886f70d010702")
_ENVELOPED = bytes.fromhex("06092a864886f70d010703")
_COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")
_DATA = bytes.fromhex("06092a864886f70d010701")
_INNER = b"Content-Type: text/plain; charset=utf-8\r\n\r\nDie Linse hat einen Sprung."


def _der(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    if len(value) < 128:
        return bytes((tag, len(value))) + value
    length = len(value).to_bytes(4, "big")
    return bytes((tag, 0x84)) + length + value


def _ber(tag: int, *values: bytes) -> bytes:
    return bytes((tag, 0x80)) + b"".join(values) + b"\0\0"


def _signed(content: bytes, indefinite: bool, kind: bytes = _SIGNED) -> bytes:
    put = _ber if indefinite else _der
    pieces = [_der(0x04, content[at : at + 20]) for at in range(0, len(content), 20)]
    octets = put(0x24, *pieces) if indefinite else _der(0x04, content)
    head = _der(0x30) if kind == _COMPRESSED else _der(0x31)
    return put(
        0x30,
        kind,
        put(0xA0, put(0x30, b"\x02\x01\x01", head, put(0x30, _DATA, put(0xA0, octets)), _der(0x31))),
    )


@pytest.mark.parametrize("indefinite", [False, True])
@pytest.mark.parametrize(
    "kind", ["application/pkcs7-mime; smime-type=signed-data", "application/x-pkcs7-mime; name=smime.p7m"]
)
def test_the_text_of_a_signed_message_is_read(kind: str, indefinite: bool) -> None:
    coded = base64.encodebytes(_signed(_INNER, indefinite)).decode()
    assert (
        body(mail(f"Content-Type: {kind}\nContent-Transfer-Encoding: base64", coded))
        == "Die Linse hat einen Sprung."
    )


def test_a_compressed_message_is_read() -> None:
    assert cms.signed_content(_signed(zlib.compress(_INNER), False, _COMPRESSED)) == _INNER


@pytest.mark.parametrize(
    "data",
    [
        _signed(b"secret", False, _ENVELOPED),
        b"",
        b"0",
        b"\x30\x80" * 5000,
        _signed(_INNER, False)[:60],
        bytes(900),
    ],
)
def test_encrypted_and_damaged_ones_have_a_warning(data: bytes) -> None:
    assert cms.signed_content(data) is None
    found = read(
        mail(
            "Subject: x\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64",
            base64.b64encode(data),
        )
    )
    assert found.warnings == ("The message is encrypted; only its header is read.",)


def test_a_signed_file_is_read_as_what_it_is() -> None:
    found = read(_signed("Größe der Linse, laut Vertrag.".encode(), True), "contract.txt.p7m")
    assert found.text.endswith("# Attachment: signed file\n\nGröße der Linse, laut Vertrag.")
    coded = base64.encodebytes(_signed(b"a,b\n1,celled\n", False)).decode()
    part = f"Content-Type: application/pkcs7-mime; name=list.csv.p7m\nContent-Transfer-Encoding: base64\n\n{coded}"
    text = body(mail(*multipart("mixed", "\nSee the list.", part)))
    assert text.startswith("See the list.\n\n# Attachment: list.csv\n\n")
    assert "celled" in text
    assert "Die Linse" in read(_signed(_INNER, False), "smime.p7m").text
    with pytest.raises(ExtractError, match="encrypted"):
        read(_signed(b"secret", False, _ENVELOPED), "a.p7m")
    with pytest.raises(ExtractError, match="a signature") as refused:
        read(
            _der(0x30, _SIGNED, _der(0xA0, _der(0x30, b"\x02\x01\x01", _der(0x31), _der(0x30, _DATA)))),
            "a.p7s",
        )
    assert refused.value.skipped
