"""Whatever a client sends over a socket, it is read or refused with a sentence, and the socket stays open."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from typing import Any

import msgpack
import websockets
from hypothesis import given
from hypothesis import strategies as st
from support.api import new_user
from support.patience import deadline
from support.property_tests import examples
from support.server import Serving

from handlers.sockets.client_message import ClientMessage, parse
from semantik.core.errors import Invalid

_TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_FIELDS = {
    "type": st.sampled_from(["ping", "pong", "scan", ""]) | _JSON,
    "action": st.sampled_from(["scan", "cancel", "dance"]) | _JSON,
    "path": st.sampled_from(["", "documents", "/no/such/folder", "/\0", "/" + "x" * 300]),
    "recursive": _JSON,
    "include": st.lists(_TEXT, max_size=2) | _JSON,
    "exclude": _JSON,
    "bogus": _JSON,
}
_OBJECT = st.fixed_dictionaries({}, optional=_FIELDS)


@examples(300)
@given(message=st.binary(max_size=40), is_text=st.booleans())
def test_any_bytes_are_an_object_or_refused(message: bytes, is_text: bool) -> None:
    _read(message, is_text)


@examples(300)
@given(value=_JSON | _OBJECT)
def test_both_forms_of_a_message_are_read_alike(value: Any) -> None:
    found = _read(json.dumps(value).encode(), True)
    assert found == _read(msgpack.packb(value), False)
    assert (found is None) != isinstance(value, dict)
    assert found is None or found.fields == value


def _read(message: bytes, is_text: bool) -> ClientMessage | None:
    try:
        return parse(message, is_text)
    except Invalid as error:
        assert str(error).endswith(".")
        return None


@examples(25)
@given(messages=st.lists(_OBJECT | _JSON, min_size=1, max_size=6))
def test_a_socket_answers_every_message_and_stays_open(shared: Serving, messages: Sequence[Any]) -> None:
    asyncio.run(_answers(shared, messages))


async def _answers(serving: Serving, messages: Sequence[Any]) -> None:
    client = await new_user(serving)
    url = f"{serving.url.replace('http', 'ws', 1)}/ws/scan/{uuid.uuid4()}?token={client.token}"
    async with deadline(), websockets.connect(url) as socket:
        for message in messages:
            await socket.send(json.dumps(message))
            answer = json.loads(await socket.recv())
            assert answer["type"] in ("error", "pong")
            assert answer["type"] == "pong" or answer["data"]["message"].endswith(".")
        await socket.send("ping")
        assert json.loads(await socket.recv())["type"] == "pong"
