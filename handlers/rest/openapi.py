"""`GET /api/v2/openapi.json`: the description of the API, which is maintained in docs/openapi.yaml."""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path

import yaml

from handlers.base import RestHandler

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@functools.cache
def _encoded() -> bytes:
    """The document as JSON. It is read once: parsing it takes a good part of a second."""
    with DOCUMENT.open("rb") as file:
        return json.dumps(yaml.load(file, yaml.CSafeLoader), ensure_ascii=False).encode()


class OpenApiHandler(RestHandler):
    """For everybody: it says nothing about this server or what it holds."""

    public = True

    async def get(self) -> None:
        encoded = await asyncio.to_thread(_encoded)
        self.set_header("Content-Type", "application/json")
        self.write(encoded)
