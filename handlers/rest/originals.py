"""`/api/v2/collections/{id}/documents/{id}/original`: the file of a document, whole or in ranges.

A browser shows what cannot do anything, and saves the rest. Whatever it shows may load nothing and run no script: the
answer's policy gives it an origin of its own.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import voluptuous as vol
from tornado.http1connection import HTTP1Connection
from tornado.httputil import _get_content_range, _parse_request_range
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from handlers.base import RestHandler
from handlers.fields import one_of
from semantik.core.charset import SAMPLE_BYTES, charset_of
from semantik.core.errors import Unavailable
from semantik.services.originals import Original
from semantik.services.peers import NotHere

_QUERY = vol.Schema({vol.Optional("download"): one_of("true")})
_BLOCK_BYTES = 256 << 10
_READ_S = 60.0
_PDF = "application/pdf"
_SHOWN = frozenset({_PDF, "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "text/html"})
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'"
)
# Chromium's viewer of PDF documents does not start in a sandbox; it has one of its own.
_PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"


class OriginalHandler(RestHandler):
    _size = 0

    async def get(self, collection_id: str, document_id: str) -> None:
        query = self.query(_QUERY)
        await self._send(collection_id, document_id, "download" in query, include_body=True)

    async def head(self, collection_id: str, document_id: str) -> None:
        query = self.query(_QUERY)
        await self._send(collection_id, document_id, "download" in query, include_body=False)

    async def _send(self, collection_id: str, document_id: str, download: bool, include_body: bool) -> None:
        services = self.services
        try:
            original = await services.originals.open(self.principal, collection_id, document_id)
        except NotHere as error:
            if await services.passing_on.answer(self, self.principal, error.path, error.label):
                return
            raise
        try:
            self._describe(original, download, await _charset(original))
            if self._is_known(original):
                self.set_status(HTTPStatus.NOT_MODIFIED)
                return
            start, end = self._range(original)
            self.set_header("Content-Length", end - start)
            if include_body:
                with suppress(StreamClosedError):  # the client has enough
                    await self._stream(original.descriptor, start, end)
        finally:
            os.close(original.descriptor)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.set_header("Content-Range", f"bytes */{self._size}")
        super().write_error(status_code, **kwargs)

    def compute_etag(self) -> None:
        """Not of what was written: the file has one."""

    def _describe(self, original: Original, download: bool, charset: str | None) -> None:
        name = original.document.name
        mime = original.document.mime or "application/octet-stream"
        shown = _PDF if mime == _PDF else mime
        if mime.startswith("text/") and mime != "text/html":
            shown = "text/plain"  # as a browser shows it
        inline = not download and (mime in _SHOWN or shown == "text/plain")
        ascii_name = "".join(char if char.isascii() and char not in '"\\' else "_" for char in name)
        kind = "inline" if inline else "attachment"
        content_type = shown if inline else mime
        self.set_header("Content-Type", f"{content_type}; charset={charset}" if charset else content_type)
        self.set_header(
            "Content-Disposition",
            f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}",
        )
        policy = _PDF_POLICY if mime == _PDF else f"{_POLICY}; sandbox"
        self.set_header("Content-Security-Policy", policy)
        self.set_header("X-Frame-Options", "SAMEORIGIN")  # the page shows originals beside their text
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("ETag", f'"{original.version}"')
        self.set_header("Last-Modified", formatdate(max(0, original.modified_s), usegmt=True))

    def _is_known(self, original: Original) -> bool:
        """Whether the client has this version already."""
        known = self.request.headers.get("If-None-Match")
        if known is None:
            return False
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return "*" in tags or f'"{original.version}"' in tags

    def _range(self, original: Original) -> tuple[int, int]:
        """The bytes to send. Several ranges, or some of another version, get the whole file."""
        asked = self.request.headers.get("Range")
        condition = self.request.headers.get("If-Range", f'"{original.version}"')
        if asked is None or "," in asked or condition != f'"{original.version}"':
            return 0, original.size
        parsed = _parse_request_range(asked)
        if parsed is None:  # not in bytes, or malformed: as if there were none
            return 0, original.size
        start, end = parsed
        if start is not None and start < 0:
            start, end = max(0, original.size + start), original.size
        start = 0 if start is None else start
        end = original.size if end is None else min(end, original.size)
        if start >= original.size or start >= end:
            self._size = original.size
            raise HTTPError(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"The file has {original.size} bytes."
            )
        self.set_status(HTTPStatus.PARTIAL_CONTENT)
        self.set_header("Content-Range", _get_content_range(start, end, original.size))
        return start, end

    async def _stream(self, descriptor: int, start: int, end: int) -> None:
        while start < end:
            async with asyncio.timeout(_READ_S):
                block = await asyncio.to_thread(os.pread, descriptor, min(_BLOCK_BYTES, end - start), start)
            connection = self.request.connection
            if not block and isinstance(connection, HTTP1Connection):
                connection.stream.close()  # the file was cut off meanwhile: its length is wrong
                return
            start += len(block)
            self.write(block)
            await self.flush()


async def _charset(original: Original) -> str | None:
    mime = original.document.mime or ""
    if not mime.startswith("text/"):
        return None
    try:
        async with asyncio.timeout(_READ_S):
            sample = await asyncio.to_thread(os.pread, original.descriptor, SAMPLE_BYTES, 0)
    except TimeoutError as error:
        raise Unavailable(
            f"The file could not be read within {_READ_S:g} s; its disk does not answer."
        ) from error
    return charset_of(sample, mime)
