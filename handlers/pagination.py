"""Pagination of lists: `?cursor=&limit=` in the query, `{items, next_cursor}` in the reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import voluptuous as vol

from handlers.fields import integer_parameter
from semantik.core.pagination import Page

T = TypeVar("T")

_DEFAULT_LIMIT = 50
_MAX_LIMIT = 500

PAGE: dict[Any, Any] = {
    vol.Optional("cursor"): str,
    vol.Optional("limit", default=str(_DEFAULT_LIMIT)): integer_parameter(1, _MAX_LIMIT),
}


def page_json(page: Page[T], serialize: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    return {"items": [serialize(item) for item in page.items], "next_cursor": page.next_cursor}
