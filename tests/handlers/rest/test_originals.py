"""The original file of a document: ranges, versions, what a browser may do with it, and whom it is kept from."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.api import documents, index, new_user
from support.server import Serving
from support.uploads import collection, connection, detail, items, processed, request, send

pytestmark = pytest.mark.gen_test

TEXT = "The lamp of the lighthouse turns once a minute. \u00e4\u00f6\u00fc"


async def test_a_file_of_a_folder(shared: Serving, tmp_path: Path) -> None:
    client, other = await new_user(shared), await new_user(shared)
    (tmp_path / "papers").mkdir()
    file = tmp_path / "papers" / "l\u00e4mp\u201c.txt"
    file.write_text(TEXT)
    content = file.read_bytes()
    target, _ = await index(client, tmp_path / "papers")
    document = (await documents(client, target))[file.name]
    path = f"collections/{target}/documents/{document['id']}/original"
    whole = await request(client, "GET", path)
    headers = whole.headers
    assert (whole.code, whole.body) == (200, content)
    assert headers["Content-Type"] == "text/plain; charset=utf-8" and headers["Accept-Ranges"] == "bytes"
    disposition = headers["Content-Disposition"]
    assert disposition == "inline; filename=\"l_mp_.txt\"; filename*=UTF-8''l%C3%A4mp%E2%80%9C.txt"
    assert headers["Content-Security-Policy"].endswith("; sandbox")
    assert headers["X-Content-Type-Options"] == "nosniff"
    # The page shows originals in a frame; nobody else may.
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    head = await request(client, "HEAD", path)
    assert (head.code, head.body, head.headers["Content-Length"]) == (200, b"", str(len(content)))
    saved = await request(client, "GET", f"{path}?download=true")
    assert saved.headers["Content-Disposition"].startswith("attachment; ")
    etag = headers["ETag"]
    assert (await request(client, "GET", path, If_None_Match=f'W/"other", {etag}')).code == 304
    ranges = {
        "bytes=4-7": (206, content[4:8]),
        "bytes=-5": (206, content[-5:]),
        "bytes=10-": (206, content[10:]),
        "bytes=0-99999": (206, content),
        "bytes=1-2,4-5": (200, content),
        "lines=1-2": (200, content),
    }
    for asked, expected in ranges.items():
        answer = await request(client, "GET", path, Range=asked)
        assert (answer.code, answer.body) == expected, asked
    part = await request(client, "GET", path, Range="bytes=4-7", If_Range=etag)
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(content)}"
    assert (await request(client, "GET", path, Range="bytes=4-7", If_Range='"older"')).body == content
    beyond = await request(client, "GET", path, Range="bytes=5000-")
    assert (beyond.code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(content)}")
    assert (await request(other, "GET", path)).code == 404
    file.write_text("Something else")
    changed = await request(client, "GET", path, If_None_Match=etag)
    assert (changed.code, changed.body) == (200, b"Something else")
    file.unlink()
    gone = await request(client, "GET", path)
    assert gone.code == 404 and "no longer there" in detail(gone)


@pytest.mark.parametrize("private", ["system", "data"])
async def test_a_link_that_took_the_place_of_the_file(shared: Serving, tmp_path: Path, private: str) -> None:
    """The folders are checked of what was opened: neither the data folder nor a system folder is given back."""
    client = await new_user(shared)
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "lamp.txt").write_text(TEXT)
    target, _ = await index(client, folder)
    document = (await documents(client, target))["lamp.txt"]
    (folder / "lamp.txt").unlink()
    (folder / "lamp.txt").symlink_to(shared.data / "instance" if private == "data" else "/proc/self/environ")
    path = f"collections/{target}/documents/{document['id']}/original"
    answer = await request(client, "GET", path)
    assert answer.code == 404 and "leads out of the folders" in detail(answer)


async def test_what_a_browser_must_not_show(shared: Serving) -> None:
    client = await new_user(shared)
    target = await collection(client)
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script><text>The lamp</text></svg>"
    page = b"<!doctype html><p>The lamp of the lighthouse<script>alert(1)</script>"
    for name, content, kind in (("a.svg", script, "attachment"), ("a.html", page, "inline")):
        [one] = items(await send(client, target, {name: content}))
        document = await processed(client, target, one["id"])
        path = f"collections/{target}/documents/{document['id']}/original"
        answer = await request(client, "GET", path)
        assert answer.body == content
        assert answer.headers["Content-Disposition"].startswith(f"{kind}; ")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert answer.headers["Content-Security-Policy"].endswith("; sandbox")


async def test_a_client_that_has_enough_is_no_error(shared: Serving) -> None:
    """What the server logs about it fails at its end."""
    client = await new_user(shared)
    target = await collection(client)
    [one] = items(await send(client, target, {"long.txt": b"The lamp turns. " * 600_000}))
    document = await processed(client, target, one["id"])
    path = f"collections/{target}/documents/{document['id']}/original"
    reader, writer = await connection(shared)
    writer.write(
        f"GET /api/v2/{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.transport.abort()
    assert (await request(client, "HEAD", path)).headers["Content-Length"] == "9600000"
