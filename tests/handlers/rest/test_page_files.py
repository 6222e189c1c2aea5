"""The page's files over HTTP: compressed, kept for ever under their hash, and asked for elsewhere."""

from __future__ import annotations

import gzip
import re

import pytest
from support.api import new_user
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

pytestmark = pytest.mark.gen_test


async def _get(server: Serving, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await AsyncHTTPClient().fetch(
        server.url + path, method=method, headers=named, raise_error=False, decompress_response=False
    )


async def test_files_of_the_build_are_compressed_and_kept(shared: Serving) -> None:
    page = await _get(shared, "/")
    assert page.headers["Cache-Control"] == "no-cache" and "Content-Encoding" not in page.headers
    address = re.search(r'src="(/static/[0-9a-f]{16}/app\.js)"', page.body.decode())
    assert address is not None
    plain = await _get(shared, address[1])
    packed = await _get(shared, address[1], Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    for answer in (plain, packed):
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert plain.headers["Etag"] != packed.headers["Etag"]
    refused = await _get(shared, address[1], Accept_Encoding="gzip;q=0")
    assert "Content-Encoding" not in refused.headers and refused.body == plain.body


async def test_a_file_that_the_browser_has_is_not_sent_again(shared: Serving) -> None:
    page = await _get(shared, "/", Accept_Encoding="gzip")
    again = await _get(shared, "/", Accept_Encoding="gzip", If_None_Match=page.headers["Etag"])
    assert (again.code, again.body) == (304, b"")
    file = await _get(shared, "/static/app.js")
    assert file.headers["Cache-Control"] == "no-cache"
    assert (await _get(shared, "/static/app.js", If_None_Match=file.headers["Etag"])).code == 304


async def test_head_has_the_headers_alone(shared: Serving) -> None:
    page, head = await _get(shared, "/"), await _get(shared, "/", "HEAD")
    assert head.body == b"" and head.headers["Content-Length"] == str(len(page.body))


async def test_files_of_another_build_and_of_other_folders_are_not_found(shared: Serving) -> None:
    page = await _get(shared, "/")
    found = re.search(r"/static/([0-9a-f]{16})/", page.body.decode())
    assert found is not None
    for path in (
        "/static/0123456789abcdef/app.js",
        f"/static/{found[1]}/no.js",
        f"/static/{found[1]}/%2e%2e/rest/page.py",
        f"/static/{found[1]}/%00",
    ):
        answer = await _get(shared, path)
        assert answer.code == 404, path
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_answers_that_are_worth_it_are_compressed_for_who_takes_it(shared: Serving) -> None:
    client = await new_user(shared)
    path, headers = "/api/v2/source-kinds", {"Authorization": f"Bearer {client.token}"}
    plain = await _get(shared, path, **headers)
    packed = await _get(shared, path, Accept_Encoding="gzip", **headers)
    assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body) / 2
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    refused = await _get(shared, path, Accept_Encoding="gzip;q=0", **headers)
    assert refused.body == plain.body
    small = await _get(shared, "/api/v2/auth/setup", Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers
