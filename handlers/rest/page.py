"""The browser's page at `/`, and its files below `/static/`.

`/static/HASH/NAME` is a file of the build with this hash, which a browser keeps for ever; `/static/NAME` is the file as
it lies in `handlers/web`, for which the browser asks each time whether it has changed.
"""

from __future__ import annotations

import asyncio
import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler

from handlers.assets.build import Asset, Assets
from handlers.base import BaseHandlerMixin
from handlers.client_address import request_id
from handlers.compression import takes_gzip
from handlers.problems import describe, problem

WEB = Path(__file__).parents[1] / "web"
ASSETS = Assets(WEB)

_BUILT = re.compile(r"([0-9a-f]{16})/(.+)")
# The frame in which the page shows an original page: it runs nothing and loads nothing, and the page fills it.
_FRAME = "original-frame.html"
_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin"
)
_ASK = "no-cache"
_KEEP = "public, max-age=31536000, immutable"


class StaticHandler(BaseHandlerMixin, StaticFileHandler):
    """Files of `handlers/web`, and of their build."""

    async def get(self, path: str, include_body: bool = True) -> None:
        built = _BUILT.fullmatch(path)
        if built is None or "\0" in path:
            await super().get(path, include_body)
            return
        build = ASSETS.latest
        if build is None or built[1] != build.identity:
            build = await asyncio.to_thread(ASSETS.current)
        asset = await asyncio.to_thread(build.asset, built[2]) if built[1] == build.identity else None
        if asset is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        if built[2] == _FRAME:
            self.set_header("Content-Security-Policy", _FRAME_POLICY)
            self.set_header("X-Frame-Options", "SAMEORIGIN")
        await self._send(asset, _KEEP, include_body)

    async def _send(self, asset: Asset, cache_control: str, include_body: bool) -> None:
        """Send it compressed to a browser that takes it so; 304 if the browser has it."""
        takes = takes_gzip(self.request.headers)
        packed = await asyncio.to_thread(lambda: asset.gzipped) if takes else None
        self.set_header("Cache-Control", cache_control)
        self.set_header("Content-Type", asset.content_type)
        self.set_header("Vary", "Accept-Encoding")
        self.set_header("Etag", f'"{asset.etag}-gzip"' if packed else f'"{asset.etag}"')
        if self.check_etag_header():
            self.set_status(HTTPStatus.NOT_MODIFIED)
            return
        if packed:
            self.set_header("Content-Encoding", "gzip")
        body = packed or asset.body
        self.set_header("Content-Length", len(body))
        if include_body:
            self.write(body)

    def compute_etag(self) -> str | None:
        """The ETag that `_send` has set; that of a file as it lies there otherwise."""
        own = self._headers.get("Etag")
        return own or (super().compute_etag() if hasattr(self, "absolute_path") else None)

    def parse_url_path(self, url_path: str) -> str:
        if "\0" in url_path:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return super().parse_url_path(url_path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", _ASK)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_extra_headers("")
        self.set_header("Content-Type", "application/problem+json")
        status = HTTPStatus(status_code)
        self.finish(json.dumps(problem(status, describe(status, None), request_id(self.request))))


class HomeHandler(StaticHandler):
    async def get(self, path: str = "index.html", include_body: bool = True) -> None:
        build = await asyncio.to_thread(ASSETS.current)
        await self._send(build.page, _ASK, include_body)

    async def head(self, path: str = "index.html") -> None:
        await self.get(include_body=False)
