"""Contacts of three versions: decoded, each below its name, without pictures and keys."""

from __future__ import annotations

import base64
import quopri

from support.mail import read


def _card(*lines: str, version: str = "3.0") -> bytes:
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", "")).encode()


def _text(*lines: str, version: str = "3.0") -> str:
    return read(_card(*lines, version=version), "a.vcf").text


def test_a_contact_with_everything() -> None:
    photo = base64.b64encode(bytes(range(200))).decode()
    text = _text(
        "N:Brandvold;Ilse;Marie;Dr.;",
        "FN:Ilse Brandvold",
        "NICKNAME:Isa,Ily",
        "ORG:Ridge Observatory\\, North;Masts",
        "TITLE:Head of masts",
        "TEL;TYPE=CELL,VOICE;TYPE=pref:+47 555 0101",
        'TEL;VALUE=uri;TYPE="work,fax":tel:+47-555-0102',
        "item1.EMAIL;TYPE=INTERNET:ilse@ridge.example",
        "item1.X-ABLabel:_$!<Office>!$_",
        "ADR;TYPE=home:;;Gipfelweg 5;Høyfjell;;0123;Norway",
        "BDAY:19800305",
        "ANNIVERSARY:--0612",
        "NOTE:Likes tea\\, not coffee.\\nCall after nine.",
        "CATEGORIES:Friends,Masts",
        f"PHOTO;ENCODING=b;TYPE=JPEG:{photo[:60]}",
        f" {photo[60:]}",
        "KEY:data:application/pgp-keys;base64,QUJD",
        "UID:urn:uuid:4711",
        "REV:20250101T000000Z",
        "X-SOCIALPROFILE;TYPE=chat:https://chat.example/ilse",
    )
    assert text == (
        "# Ilse Brandvold\n\n"
        "Name: Dr. Ilse Marie Brandvold\n"
        "Nickname: Isa, Ily\n"
        "Organization: Ridge Observatory, North, Masts\n"
        "Title: Head of masts\n"
        "Phone (cell): +47 555 0101\n"
        "Phone (work, fax): +47-555-0102\n"
        "E-mail (office): ilse@ridge.example\n"
        "Address (home): Gipfelweg 5, Høyfjell, 0123, Norway\n"
        "Birthday: 1980-03-05\n"
        "Anniversary: 06-12\n"
        "Categories: Friends, Masts\n"
        "Profile (chat): https://chat.example/ilse\n\n"
        "Likes tea, not coffee.\nCall after nine."
    )


def test_an_old_card_with_charsets_and_quoted_printable() -> None:
    sentences = "Schlüssel für die Tür; zweiter Satz, der länger ist als eine Zeile je sein darf.".encode()
    note = quopri.encodestring(sentences).decode() + "=0D=0A=\nEnde"
    lines = (
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;",
        "TEL;WORK;VOICE:0555 1",
        "ADR;HOME;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:;;H=F6henweg 3;K=F6ln;;50667;",
        f"NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:{note}",
        "PHOTO;ENCODING=BASE64;JPEG:QUJDREVG",
        " R0hJSktM",
        "",
        "ORG:Werft am",
        " Hafen",
    )
    assert _text(*lines, version="2.1") == (
        "# Jörg Müller\n\nPhone (work): 0555 1\nAddress (home): Höhenweg 3, Köln, 50667\n"
        "Organization: Werft am Hafen\n\n"
        "Schlüssel für die Tür; zweiter Satz, der länger ist als eine Zeile je sein darf.\nEnde"
    )


def test_raw_bytes_in_the_charset_of_the_property() -> None:
    data = _card("FN;CHARSET=KOI8-R:?", version="2.1").replace(b"?", "Илья".encode("koi8-r"))
    assert read(data, "a.vcf").title == "Илья"
    shift_jis = _card("FN;CHARSET=Shift_JIS:?", version="2.1").replace(b"?", "表示".encode("cp932"))
    assert read(shift_jis, "a.vcf").title == "表示"
    assert read(_card("FN:Ünal").decode().encode("utf-16"), "a.vcf").title == "Ünal"


def test_several_cards_are_apart() -> None:
    found = read(
        _card("FN:Ada") + _card("ORG:Ridge") + _card("N:Berg;Bo") + _card("EMAIL:c@r.example"), "a.vcf"
    )
    assert [line for line in found.text.splitlines() if line.startswith("#")] == [
        "# Ada",
        "# Ridge",
        "# Bo Berg",
        "# c@r.example",
    ]
    assert found.title is None


def test_a_card_of_version_4_with_parameters() -> None:
    lines = (
        "FN:Ada",
        "RELATED;TYPE=spouse:Bo ^ Berg",
        'ADR;LABEL="1 Rd^nTown":;;1 Rd;Town',
        "PHOTO:data:x;base64,QUJD",
    )
    text = _text(*lines, version="4.0")
    assert text == "# Ada\n\nRelated (spouse): Bo ^ Berg\nAddress: 1 Rd, Town"
