"""The browser's page at `/`, and its files below `/static/`."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler

from handlers.base import BaseHandlerMixin
from handlers.client_address import request_id
from handlers.problems import describe, problem

WEB = Path(__file__).parents[1] / "web"


class StaticHandler(BaseHandlerMixin, StaticFileHandler):
    """Files of `handlers/web`; the browser asks each time whether they have changed."""

    def parse_url_path(self, url_path: str) -> str:
        if "\0" in url_path:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return super().parse_url_path(url_path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_extra_headers("")
        self.set_header("Content-Type", "application/problem+json")
        status = HTTPStatus(status_code)
        self.finish(json.dumps(problem(status, describe(status, None), request_id(self.request))))


class HomeHandler(StaticHandler):
    async def get(self, path: str = "index.html", include_body: bool = True) -> None:
        await super().get("index.html", include_body)

    async def head(self, path: str = "index.html") -> None:
        await super().get("index.html", include_body=False)
