"""The table of calls that the JavaScript client has, and how each result is encoded."""

from __future__ import annotations

import json

from clients.description import Call, Description


def javascript_files(description: Description) -> dict[str, str]:
    """The texts of the two modules by their names; the types of arguments are openapi-typescript's."""
    lines = [
        "// Written by `make clients` from docs/openapi.yaml: do not change it by hand.",
        "// [method, path, how the result is encoded, {query, headers, fixed headers, body, repeatable}]",
        "export const OPERATIONS = {",
        *(f"  {call.operation_id}: {json.dumps(_entry(call))}," for call in description.calls),
        "};",
        "",
    ]
    types = [lines[0], "export interface Results {"]
    types += [f'  {call.operation_id}: "{call.result or "none"}";' for call in description.calls]
    return {"operations.js": "\n".join(lines), "operations.d.ts": "\n".join([*types, "}", ""])}


def _entry(call: Call) -> list[object]:
    more: dict[str, object] = {}
    for where, key in (("query", "query"), ("header", "headers")):
        if names := [a.wire for a in call.arguments if a.where == where]:
            more[key] = names
    if call.headers:
        more["fixed"] = call.headers
    if call.body:
        more["body"] = call.body
    if call.repeatable:
        more["repeatable"] = True
    path = (
        "/" + call.path.removeprefix("../../") if call.path.startswith("../../") else f"/api/v2/{call.path}"
    )
    return [call.method, path, call.result, more]
