"""docs/reference/python-client.md: every call of the Python client, and the fields of what it returns."""

from __future__ import annotations

from clients.description import Call, Description, sentence
from clients.python_modules import PythonModules

_HEAD = """<!-- Written by `make clients` from docs/openapi.yaml: do not change it by hand. -->
# Python client

Every call of the [REST API](rest-api.md) as a method of `semantik.client.Client`, which is awaited, and of
`semantik.client.SyncClient`, which is not.
[The how-to](../how-to/clients.md) begins with examples.

- An argument that is not given is not sent; `None` is sent, as null.
- Results are dictionaries with the types of `semantik.client.types`; a field with `NotRequired` may be missing.
- Each call raises `Refused` (`status`, `problem`, `retry_after_s`, and the server's sentence) with the statuses that
  its docstring lists, and `Unavailable` when no server answers.
- `GET`, `HEAD`, `PUT` and `DELETE`, and what is marked as repeatable, are sent again after a lost connection, 429, 502,
  503 and 504; other calls only after 429, or when no connection could be made: then the server has executed nothing.
  `Retry-After` is respected. `Client(url, token, Retries(attempts=1))` sends everything once. A repeated `DELETE` may
  get 404.

| besides | what it does |
| --- | --- |
| `sign_in(username, password, code=None)` | signs in, and renews the access token from then on |
| `call(method, path, body=None, **query)` | sends any request to `/api/v2/<path>`, once |
| `each(listing, *arguments)` | the items of all pages of a call that lists something |
| `watch(operation_id, since=None, patience_s=60)` | the messages of an operation to its end, resumed after each loss |
| `watch_all(patience_s=60)` | the messages of all operations |
"""


def reference(description: Description, modules: PythonModules) -> str:
    """The page."""
    parts = [_HEAD]
    for tag in description.tags:
        calls = [call for call in description.calls if call.tag == tag["name"]]
        if calls:
            parts.append(f"## {tag['name'][:1].upper()}{tag['name'][1:]}\n\n{sentence(tag['description'])}\n")
            parts += [_call(call, modules) for call in calls]
    parts.append("## Types\n")
    names = {name: code for its in modules.types.modules().values() for name, (code, _) in its.items()}
    parts += [_type(name, names[name], description) for name in sorted(names)]
    return "\n".join(parts)


def _call(call: Call, modules: PythonModules) -> str:
    result = modules.results[call.operation_id]
    if call.result in ("events", "lines", "bytes"):
        result = f"AsyncIterator[{result}]"
    arguments = ", ".join(text.replace(" | Unset", "") for text in modules.signature(call))
    path = (
        "/" + call.path.removeprefix("../../") if call.path.startswith("../../") else f"/api/v2/{call.path}"
    )
    lines = [f"### {call.name}", "", "```python", f"{call.name}({arguments}) -> {result}", "```", ""]
    repeatable = " Repeatable." if call.repeatable and call.method == "POST" else ""
    lines += [
        f"{sentence(call.summary)} `{call.method} {path}`.{repeatable} {sentence(call.description)}".strip(),
        "",
    ]
    described = [a for a in call.sorted_arguments if a.description and a.where != "path"]
    lines += [f"- `{a.name}`: {sentence(a.description)}" for a in described]
    lines += [""] if described else []
    lines.append(f"Returns: {sentence(call.answer)} Refused: {', '.join(code for code, _ in call.errors)}.\n")
    return "\n".join(lines)


def _type(name: str, code: str, description: Description) -> str:
    """A type as it is defined, with what is said of its fields."""
    lines = [f"### {name}", "", "```python", *(c for c in code.split("\n") if '"""' not in c), "```", ""]
    schema = description.schemas.get(name, {})
    if said := schema.get("description"):
        lines += [sentence(said), ""]
    fields = {
        key: description.resolved(value).get("description", "")
        for key, value in schema.get("properties", {}).items()
    }
    lines += [f"- `{key}`: {sentence(text)}" for key, text in fields.items() if text]
    lines += [""] if any(fields.values()) else []
    return "\n".join(lines)
