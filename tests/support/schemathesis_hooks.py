"""What schemathesis has to know of our server: who signs in, and texts of the formats that docs/openapi.yaml names.

Runs in schemathesis' own process, which `support/schemathesis_run.py` starts; WORLD names the file with what there is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import requests
import schemathesis
from hypothesis import strategies as st

_WORLD = json.loads(Path(os.environ["WORLD"]).read_text())
_PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=200)

for _name, _texts in {
    "line": _PRINTABLE,
    "address": st.builds("{}@{}".format, *[st.text("abc.é", min_size=1, max_size=20)] * 2),
    "new-password": st.text("abcdefghijkäß 0123456789", min_size=12, max_size=30).map(
        lambda text: f"herons {text} over lakes"
    ),
    "message-id": st.sampled_from(["$", "1768471200123-0", "0-0"]),
    "query": st.text(st.characters(codec="utf-8"), max_size=60).map(lambda text: f"storm {text}"),
    "folder": st.sampled_from(_WORLD["folders"]),
    "day": st.dates().map(str) | st.sampled_from(["2026", "2026-02", "28.2.2026"]),
    "moment": st.datetimes()
    .filter(lambda moment: 1901 < moment.year < 2199)
    .map(lambda moment: moment.isoformat()),
    "document-type": st.sampled_from(["pdf", "word", ".txt", "image/*", "text/csv"]),
    "glob": st.sampled_from(["*.bak", "drafts/", "/old/**"]),
    "tag": st.sampled_from(["heating", "to check", "#Gas"]),
    "language": st.sampled_from(["en", "de", "german"]),
}.items():
    schemathesis.openapi.format(_name, _texts)

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


def _sign_in(name: str) -> str:
    login = {"username": name, "password": _WORLD["password"]}
    answer = requests.post(f"{_WORLD['url']}/api/v2/auth/login", json=login, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["access_token"])


class _Bearer:
    def set(self, case: schemathesis.Case, data: str, context: object) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=300).skip_for(operation_id=_WORLD["ending"])
class Lasting(_Bearer):
    """The session that nearly all requests belong to."""

    def get(self, case: schemathesis.Case, context: object) -> str:
        return _sign_in(_WORLD["username"])


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=_WORLD["ending"])
class Ending(_Bearer):
    """A session of another user for each request that ends sessions."""

    def get(self, case: schemathesis.Case, context: object) -> str:
        return _sign_in(_WORLD["other"])


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, object]
) -> None:
    """Accounts that requests are signed in with stay as they are: another takes their place."""
    path = case.path_parameters or {}
    if case.method != "GET" and path.get("user_id") in _WORLD["lasting"]:
        case.path_parameters = {**path, "user_id": _WORLD["spare"]["user_id"]}
