"""Every route that changes something has an action in the audit trail, of the form noun.verb."""

from __future__ import annotations

import re

import pytest
from tornado.web import RequestHandler

from handlers.base import RestHandler
from handlers.routes import ROUTES

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
HANDLERS = sorted({rule.target for rule in ROUTES if issubclass(rule.target, RestHandler)}, key=str)


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__name__)
def test_each_method_that_is_not_a_get_has_an_action(handler: type[RestHandler]) -> None:
    methods = {
        name
        for name in CHANGING
        if getattr(handler, name.lower()) is not getattr(RequestHandler, name.lower())
    }
    assert set(handler.audit) - {"GET"} == methods, (
        f"{handler.__name__}.audit names the action of each method"
    )
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", action) for action in handler.audit.values())
