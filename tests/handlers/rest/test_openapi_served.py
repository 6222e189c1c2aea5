"""`GET /api/v2/openapi.json`: the description that the tests compare with the code is the one that is served."""

from __future__ import annotations

import pytest
from support.openapi import document
from support.server import Serving

from semantik.client.api import Client


@pytest.mark.gen_test
async def test_the_description_is_served_to_everybody(shared: Serving) -> None:
    assert await Client(shared.url).call("GET", "openapi.json") == document()
