"""The connection to Milvus: every call has a deadline, and every failure is one of ours. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from semantik.config.milvus_settings import MilvusSettings
from semantik.core.cancellation import is_asked_to_end
from semantik.core.errors import EngineAway, SemantikError


@contextmanager
def _without_dotenv() -> Iterator[None]:
    """pymilvus reads a file .env of any folder above its own into the environment when it is imported."""
    name = "PYTHON_DOTENV_DISABLED"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


with _without_dotenv():
    import grpc
    from pymilvus import AsyncMilvusClient
    from pymilvus.exceptions import MilvusException

log = logging.getLogger(__name__)

# It logs each failed attempt with its traceback, as an error; the exception says the same.
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

_CONNECT_FAILED = 2
_COLLECTION_NOT_FOUND = 100
_GONE = ("not loaded", "collection not found", "in state 'released'")
_SLACK_S = 1.0  # by which our deadline is later than the library's own
# After a call that waited so long in vain, others do not wait while Milvus is known to be away, for ten seconds.
_SLOW_S, _HOLD_S = 1.0, 10.0
_CLOSE_S = 15.0  # longer than the library tries to connect again, which closing waits for
# gRPC lets all channels to an address wait for the same next attempt, up to two minutes after a long absence.
_CHANNEL = {"grpc.use_local_subchannel_pool": 1, "grpc.max_reconnect_backoff_ms": 2000}


class CollectionGone(SemantikError):
    """Milvus has no such collection, or has not loaded it."""


class NotImplementedThere(SemantikError):
    """This server has no such call."""


class MilvusConnection:
    """`close` must be called. The client is made with the first call, and anew after one that found no server.

    After a call that waited for an answer in vain, others do not wait for as long as `is_away()`, and for some seconds
    at most: then one tries again.
    """

    def __init__(self, settings: MilvusSettings, is_away: Callable[[], bool] = lambda: False) -> None:
        self.settings = settings
        self._is_away = is_away
        self._hold_until = 0.0
        self._client: AsyncMilvusClient | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    async def call(self, method: str, *args: Any, timeout_s: float | None = None, **kwargs: Any) -> Any:
        """`await client.method(*args, **kwargs)`, within `milvus.timeout_s` or the time that is given.

        Raises EngineAway when Milvus does not answer or refuses, CollectionGone when it lacks the collection,
        NotImplementedThere when it lacks the call.
        """
        limit = timeout_s or self.settings.timeout_s
        begun, client = time.monotonic(), None
        if begun < self._hold_until and self._is_away():
            raise self._no_answer()
        try:
            async with asyncio.timeout(limit + _SLACK_S):
                client = self._connected()
                answer = await getattr(client, method)(*args, timeout=limit, **kwargs)
        except asyncio.CancelledError as error:
            if is_asked_to_end():
                raise
            # Another call has found no server, and closed the client that both used.
            raise self._no_answer() from error
        except (MilvusException, grpc.RpcError, grpc.aio.UsageError, TimeoutError, OSError) as error:
            translated = self._translated(method, error, client)
            if isinstance(translated, EngineAway) and (ended := time.monotonic()) - begun > _SLOW_S:
                self._hold_until = ended + _HOLD_S
            raise translated from error
        self._hold_until = 0.0
        return answer

    def _connected(self) -> AsyncMilvusClient:
        if self._closed:
            raise EngineAway("The server is stopping.")
        if self._client is None:
            given = self.settings
            tls = {
                "secure": given.url.startswith("https://"),
                "ca_pem_path": given.ca_file if given.certificate_file else "",
                "server_pem_path": "" if given.certificate_file else given.ca_file,
                "client_pem_path": given.certificate_file,
                "client_key_path": given.key_file,
                "server_name": given.server_name,
            }
            self._client = AsyncMilvusClient(
                uri=given.url,
                token=given.token,
                db_name=given.database,
                timeout=given.timeout_s,
                dedicated=True,  # shared ones are kept by the number of the loop, which another loop may get
                grpc_options=_CHANNEL,
                **tls,
            )
        return self._client

    def _translated(
        self, method: str, error: BaseException, client: AsyncMilvusClient | None
    ) -> SemantikError:
        url = self.settings.url
        said = _said_by_server(error)
        code = said.code() if said is not None else getattr(error, "code", None)
        text = str(said.details() if said is not None else getattr(error, "message", error))
        if code == grpc.StatusCode.UNIMPLEMENTED:
            return NotImplementedThere(text)
        if code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return EngineAway(f"Milvus at {url} refuses milvus.token: {text}.", 30)
        if code == _COLLECTION_NOT_FOUND or any(words in text.lower() for words in _GONE):
            return CollectionGone(text)
        away = code in (_CONNECT_FAILED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        if away or isinstance(error, TimeoutError | OSError) or "Retry timeout" in text:
            if client is self._client:  # another call may have made a new one
                self._disconnect()
            return self._no_answer()
        log.warning("milvus %s: %s", method, text)
        return EngineAway(f"Milvus at {url} could not do it ({method}): {_first_line(text)}.", 5)

    def _no_answer(self) -> EngineAway:
        where = self.settings.url
        return EngineAway(
            f"Milvus at {where} does not answer: what is found by meaning can be found again when it does.", 5
        )

    async def close(self) -> None:
        self._closed = True
        self._disconnect()
        if self._closing:
            _, late = await asyncio.wait(self._closing, timeout=_SLACK_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _disconnect(self) -> None:
        """Closing takes long where nobody answers: who found that out does not wait for it."""
        client, self._client = self._client, None
        if client is not None:
            task = asyncio.create_task(_close(client), name="milvus-close")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _close(client: AsyncMilvusClient) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await client.close()
    except (MilvusException, grpc.RpcError, grpc.aio.UsageError, TimeoutError) as error:
        log.info("milvus: the connection could not be closed: %s", str(error) or type(error).__name__)


def _said_by_server(error: BaseException) -> grpc.RpcError | None:
    """What gRPC raised at first: the library replaces it by "illegal connection params or server unavailable"."""
    cause: BaseException | None = error
    for _ in range(8):  # it also raises errors from themselves
        if isinstance(cause, grpc.RpcError):
            return cause
        cause = cause.__cause__ if cause is not None else None
    return None


def _first_line(text: str) -> str:
    return (text.splitlines() or ["it gave no reason"])[0][:300]
