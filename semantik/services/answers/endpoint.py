"""A client of an OpenAI-compatible endpoint: `POST {answers.url}/chat/completions`, streamed. Runs on the loop.

httpx2 is imported with the first answer; it closes the connection when the asking task is cancelled, so a model does
not go on writing for a reader who has gone. It follows no redirect, and takes no proxy from the environment.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from semantik.config.settings import AnswerSettings
from semantik.core.errors import Unavailable

_CONNECT_S = 10.0
_MAX_LINE = 1 << 20
_MAX_BYTES = 8 << 20
_SHOWN = 200  # characters of an error of the endpoint


@dataclass(frozen=True)
class Piece:
    """A piece of the model's text. `cut`: it has ended since it was too long."""

    text: str
    cut: bool = False


async def complete(settings: AnswerSettings, messages: list[dict[str, str]]) -> AsyncGenerator[Piece, None]:
    """The model's text in pieces. Raises Unavailable when the endpoint fails, also in the middle."""
    await asyncio.to_thread(importlib.import_module, "httpx2")
    import httpx2

    where = f"The endpoint of answers.url at {urlsplit(settings.url).netloc.rpartition('@')[2]}"
    body: dict[str, Any] = {"messages": messages, "stream": True, "max_tokens": settings.max_tokens}
    body |= {"temperature": 0, **({"model": settings.model} if settings.model else {})}
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    timeout = httpx2.Timeout(settings.silence_s, connect=_CONNECT_S)
    address = f"{settings.url.rstrip('/')}/chat/completions"
    try:
        async with (
            httpx2.AsyncClient(trust_env=False, timeout=timeout, headers=headers) as client,
            client.stream("POST", address, json=body) as answer,
        ):
            if answer.status_code != httpx2.codes.OK:
                raise Unavailable(f"{where} answers {answer.status_code}{await _reason(answer)}.")
            async with aclosing(_pieces(answer, where)) as pieces:
                async for piece in pieces:
                    yield piece
    except httpx2.ConnectError as error:
        raise Unavailable(f"{where} cannot be reached: {error}. Is it running?") from error
    except httpx2.TimeoutException as error:
        raise Unavailable(
            f"{where} sent nothing for {settings.silence_s:g} s (answers.silence_s)."
        ) from error
    except httpx2.HTTPError as error:
        raise Unavailable(f"{where} broke off in the middle: {error}.") from error


async def _pieces(answer: Any, where: str) -> AsyncGenerator[Piece, None]:
    ended = begun = False
    async for line in _lines(answer, where):
        data = line.removeprefix(b"data:").strip()
        if not line.startswith(b"data:") or not data:
            continue
        if data == b"[DONE]":
            return
        begun = True
        choice = _choice(data, where)
        text = (choice.get("delta") or {}).get("content") or ""
        reason = choice.get("finish_reason")
        ended = ended or reason is not None
        if text or reason == "length":
            yield Piece(str(text), reason == "length")
    if not begun:
        raise Unavailable(f"{where} sent no stream of chat completion chunks; is it OpenAI-compatible?")
    if not ended:
        raise Unavailable(f"{where} broke off in the middle.")


def _choice(data: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
        if isinstance(value.get("error"), dict):
            raise Unavailable(f"{where} reports an error: {str(value['error'].get('message'))[:_SHOWN]}.")
        choices = value.get("choices") or [{}]
        choice: dict[str, Any] = dict(choices[0])
        delta = choice.get("delta")
        if not (delta is None or isinstance(delta, dict)):
            raise TypeError
    except (ValueError, AttributeError, TypeError, LookupError, RecursionError) as error:
        raise Unavailable(f"{where} sent what is no chunk of a chat completion.") from error
    return choice


async def _lines(answer: Any, where: str) -> AsyncGenerator[bytes, None]:
    rest, received = b"", 0
    async for part in answer.aiter_bytes():
        received += len(part)
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > _MAX_LINE or received > _MAX_BYTES:
            raise Unavailable(f"{where} sent more than an answer can have.")
        for line in lines:
            yield line
    yield rest


async def _reason(answer: Any) -> str:
    """What an endpoint says of an error, as far as it is a short text."""
    body = b""
    async for part in answer.aiter_bytes():
        body += part
        if len(body) > _MAX_LINE:
            break
    try:
        error = json.loads(body)["error"]
        message = error["message"] if isinstance(error, dict) else error
    except (ValueError, LookupError, TypeError, RecursionError):
        message = ""
    return f": {str(message)[:_SHOWN].rstrip('.')}" if message else ""
