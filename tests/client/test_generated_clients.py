"""The generated clients are what the generator writes now, and every client sends the same request for each call."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import jsonschema_rs
import pytest
from conftest import run
from support.node import JAVASCRIPT, needs_node_packages
from support.openapi import document, validator
from support.patience import patience
from support.server import ROOT
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.testing import bind_unused_port

from clients import generate
from clients.description import DOCUMENT, Call, Description
from clients.samples import samples
from semantik.client import Client, Retries, SyncClient

CONTENT = "ä\n" * 10
MAX_LINES = 300


def test_they_are_what_make_clients_writes() -> None:
    differing = [str(path.relative_to(ROOT)) for path in generate.differences()]
    assert differing == [], "docs/openapi.yaml has changed: run `make clients`"


@needs_node_packages
def test_the_types_of_the_javascript_client_are_what_make_clients_writes(tmp_path: Path) -> None:
    command = next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if "bin/openapi-typescript" in line
    )
    written = tmp_path / "schema.d.ts"
    command = command.strip().lstrip("@").replace("clients/javascript/schema.d.ts", str(written))
    subprocess.run(["sh", "-c", command], cwd=ROOT, check=True, timeout=patience(60))
    assert written.read_text() == (JAVASCRIPT / "schema.d.ts").read_text(), "run `make clients`"


@needs_node_packages
def test_the_types_of_the_javascript_client_accept_right_uses_and_no_wrong_ones() -> None:
    done = subprocess.run(
        ["npm", "run", "--silent", "types"],
        cwd=JAVASCRIPT, capture_output=True, text=True, timeout=patience(120),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_every_operation_is_a_call_but_for_sockets_redirects_the_page_and_mcp() -> None:
    calls = {call.operation_id for call in Description().calls}
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            if path in ("/", "/static/{path}", "/mcp") or {"101", "302"} & set(operation["responses"]):
                assert operation["operationId"] not in calls, (method, path)
            else:
                assert operation["operationId"] in calls, (method, path)


def test_generated_modules_stay_short() -> None:
    lengths = {
        path: len(text.splitlines()) for path, text in generate.generated().items() if path.suffix == ".py"
    }
    assert {path.name: length for path, length in lengths.items() if length > MAX_LINES} == {}


Recorded = dict[str, Any]


@asynccontextmanager
async def _recorder(calls: list[Call]) -> AsyncIterator[tuple[str, list[Recorded]]]:
    """A server that answers each call as the description's example says, in the order of the calls."""
    recorded: list[Recorded] = []

    def answer(request: HTTPServerRequest) -> None:
        call = calls[len(recorded) % len(calls)]
        headers = {name.title(): value for name, value in request.headers.get_all()}
        recorded.append(
            {
                "method": request.method,
                "path": request.path,
                "query": parse_qs(request.query),
                "body": request.body.decode(),
                "type": headers.get("Content-Type") if request.body else None,
                "sent": {a.wire: headers[a.wire.title()] for a in call.arguments if a.where == "header"}
                | {name: headers[name.title()] for name in call.headers},
                "authorization": headers["Authorization"],
            }
        )
        assert request.connection is not None
        body = _example(call)
        kind = b"text/event-stream" if call.result == "events" else b"application/json"
        length = b"" if body is None else b"Content-Type: %b\r\nContent-Length: %d\r\n" % (kind, len(body))
        status = b"204 No Content" if body is None else b"200 OK"
        stream = request.connection.stream  # type: ignore[attr-defined]
        stream.write(b"HTTP/1.1 %b\r\n%bConnection: close\r\n\r\n%b" % (status, length, body or b""))
        request.connection.finish()

    socket, port = bind_unused_port()
    server = HTTPServer(answer)
    server.add_socket(socket)
    try:
        yield f"http://127.0.0.1:{port}", recorded
    finally:
        server.stop()
        await server.close_all_connections()


def _example(call: Call) -> bytes | None:
    if call.result in (None, "headers"):
        return None if call.result is None else b""
    if call.result == "events":
        return b'id: 1-0\ndata: {"type": "x"}\n\n'
    return b'{"items": [], "next_cursor": null}\n'


def _described(call: Call, seen: Recorded, args: dict[str, Any]) -> None:
    """That a request is the one that the description asks for."""
    prefix = "" if call.path.startswith("../../") else "/api/v2/"
    path = prefix + call.path.removeprefix("../..")
    for argument in call.arguments:
        if argument.where == "path":
            path = path.replace(f"{{{argument.wire}}}", str(args[argument.wire]))
    assert (seen["method"], unquote(seen["path"])) == (call.method, path)
    query = {
        a.wire: [str(args[a.wire]).lower() if a.is_flag else str(args[a.wire])]
        for a in call.arguments
        if a.where == "query"
    }
    assert seen["query"] == query
    body = {a.wire: args[a.wire] for a in call.arguments if a.where == "body" and a.wire != "content"}
    if call.body == "json":
        assert json.loads(seen["body"]) == body and seen["type"] == "application/json"
    elif call.body:
        assert (seen["body"], seen["type"]) == (CONTENT, call.body)
    else:
        assert seen["body"] == ""
    assert seen["authorization"] == "Bearer a-token"
    assert seen["sent"].items() >= call.headers.items()


def _arguments(call: Call, args: dict[str, Any]) -> dict[str, Any]:
    given = {a.name: args[a.wire] for a in call.arguments if a.wire in args}
    return given | ({"content": CONTENT.encode()} if call.body not in (None, "json") else {})


def test_every_client_sends_each_call_as_it_is_described(tmp_path: Path) -> None:
    description = Description()
    calls = description.calls
    args = [samples(description, call) for call in calls]
    for call, its in zip(calls, args, strict=True):
        wanted = description.document["paths"].get(f"/api/v2/{call.path}", {}).get(call.method.lower(), {})
        if call.body == "json":
            schema = wanted["requestBody"]["content"]["application/json"]["schema"]
            body = {a.wire: its[a.wire] for a in call.arguments if a.where == "body"}
            _fits(schema, body, call)

    async def test() -> None:
        async with _recorder(calls) as (url, recorded):
            client = Client(url, "a-token", Retries(attempts=1))
            for call, its in zip(calls, args, strict=True):
                method = getattr(super(Client, client), call.name)
                result = method(**_arguments(call, its))
                if hasattr(result, "__aiter__"):
                    assert [each async for each in result]
                else:
                    await result
            await asyncio.to_thread(_send_all, url, calls, args)
            if shutil.which("node") is not None:
                await _send_all_javascript(url, calls, args, tmp_path)
            clients = len(recorded) // len(calls)
            assert clients == (3 if shutil.which("node") else 2)
        for position, call in enumerate(calls):
            seen = recorded[position :: len(calls)]
            _described(call, seen[0], args[position])
            for other in seen[1:]:
                assert {**other, "path": unquote(other["path"]), "body": _json(other["body"])} == {
                    **seen[0],
                    "path": unquote(seen[0]["path"]),
                    "body": _json(seen[0]["body"]),
                }

    run(test())


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fits(schema: dict[str, Any], body: dict[str, Any], call: Call) -> None:
    """What the samples have besides texts of a format is as the description wants it."""
    errors = [
        error for error in validator(schema).iter_errors(body)
        if not isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Format)
        and "Pattern" not in type(error.kind).__name__
    ]  # fmt: skip
    assert [str(error) for error in errors] == [], call.operation_id


def _send_all(url: str, calls: list[Call], args: list[dict[str, Any]]) -> None:
    with SyncClient(url, "a-token", Retries(attempts=1)) as client:
        for call, its in zip(calls, args, strict=True):
            result = getattr(client, call.name)(**_arguments(call, its))
            if call.result in ("events", "lines", "bytes"):
                assert list(result)


async def _send_all_javascript(url: str, calls: list[Call], args: list[dict[str, Any]], folder: Path) -> None:
    given = [
        [call.operation_id, its, CONTENT if call.body not in (None, "json") else None]
        for call, its in zip(calls, args, strict=True)
    ]
    (folder / "calls.json").write_text(json.dumps(given))
    script = JAVASCRIPT / "tests" / "send_all.mjs"
    process = await asyncio.create_subprocess_exec(
        "node", str(script), url, str(folder / "calls.json"), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


def test_the_generator_says_what_it_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    before, head, after = DOCUMENT.read_text().partition("\n    OwnerRequest:\n")
    path.write_text(before + head + after.replace(" user: ", " collection_id: ", 1))
    with pytest.raises(ValueError, match="giveCollection: two arguments have the same name"):
        Description(path)


def test_check_names_a_file_that_is_out_of_date(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = generate.generated()
    page = ROOT / "docs" / "reference" / "python-client.md"
    monkeypatch.setattr(generate, "generated", lambda: {**wanted, page: "something else"})
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/reference/python-client.md\n"
