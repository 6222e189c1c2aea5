"""Lists on the wire: `?cursor=&limit=` in, `{items, next_cursor}` out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import voluptuous as vol

from handlers.fields import digits
from semantik.core.pagination import Page

T = TypeVar("T")

_DEFAULT = 50
_MOST = 500

PAGE: dict[Any, Any] = {
    vol.Optional("cursor"): str,
    vol.Optional("limit", default=str(_DEFAULT)): digits(1, _MOST),
}


def page_json(page: Page[T], shape: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    return {"items": [shape(item) for item in page.items], "next_cursor": page.next_cursor}
