"""Pages that browsers saved: MIME files, and single files with everything in them."""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest
from support.extracted import LIMIT, extract, file

_PAGE = (
    "<html><head><title>Lock hours</title></head><body><h1>Lock</h1><p>Öffnet um acht – außer sonntags.</p>"
)
"</body></html>"
_FRAME = "<p>Inner frame: call the keeper.</p>"
_PICTURE = base64.b64encode(bytes(range(256)) * 20).decode()


def _part(body: str, head: str, transfer: str, charset: str = "utf-8") -> str:
    data = body.encode(charset)
    text = base64.encodebytes(data).decode() if transfer == "base64" else quopri.encodestring(data).decode()
    return f"--b\nContent-Transfer-Encoding: {transfer}\n{head}\n\n{text}\n"


def _archive(head: str, *parts: str) -> bytes:
    start = f"From: <Saved by Blink>\nSubject: =?utf-8?Q?Lock_hours?=\nMIME-Version: 1.0\n{head}"
    picture = f"--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n{_PICTURE}\n"
    return (
        f'{start}Content-Type: multipart/related; type="text/html"; boundary="b"\n\n'
        + picture
        + "".join(parts)
        + "--b--\n"
    ).encode()


@pytest.mark.parametrize("transfer", ["base64", "quoted-printable"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15", "windows-1252"])
@pytest.mark.parametrize("name", ["a.mhtml", "a.mht", "a"])
def test_the_page_is_decoded(tmp_path: Path, transfer: str, charset: str, name: str) -> None:
    page = _PAGE.replace("–", "-") if charset == "iso-8859-15" else _PAGE
    data = _archive("", _part(page, f"Content-Type: text/html; charset={charset}", transfer, charset))
    found = extract(file(tmp_path, name, data), LIMIT)
    assert found.title == "Lock hours"
    assert "# Lock\n\nÖffnet um acht" in found.text and "außer sonntags." in found.text
    assert _PICTURE[:40] not in found.text


def test_the_page_comes_before_its_frames(tmp_path: Path) -> None:
    data = _archive(
        "Snapshot-Content-Location: https://a.example/lock\n",
        _part(_FRAME, "Content-Type: text/html\nContent-Location: cid:frame", "base64"),
        _part(_PAGE, "Content-Type: text/html\nContent-Location: https://a.example/lock", "quoted-printable"),
    )
    text = extract(file(tmp_path, "a.mhtml", data), LIMIT).text
    assert text.startswith("# Lock") and text.endswith("Inner frame: call the keeper.")


def test_an_archive_without_a_page_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="without a page"):
        extract(file(tmp_path, "a.mhtml", _archive("")), LIMIT)


def test_a_page_in_a_single_file(tmp_path: Path) -> None:
    page = (
        "<!DOCTYPE html><html><!--\n Page saved with SingleFile \n url: https://a.example/ \n saved date: Tue\n-->"
        f"<meta charset=utf-8><title>Lock hours</title>"
        f"<style>.a{{background:url(data:image/png;base64,{_PICTURE})}}</style>"
        f"<style id='sf-hidden'>.sf-hidden{{display:none!important}}</style>"
        f"<img src='data:image/png;base64,{_PICTURE}' alt='the lock'>"
        "<p>Opens at eight.</p><div class='sf-hidden'></div>"
        "<iframe srcdoc='&lt;p&gt;Call the keeper.&lt;/p&gt;'></iframe>"
    )
    found = extract(file(tmp_path, "a.html", page.encode()), LIMIT)
    assert (found.title, found.text) == ("Lock hours", "the lock\n\nOpens at eight.\n\nCall the keeper.")
