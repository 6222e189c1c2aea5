"""The client without async: the same calls as plain methods, and live messages as iterators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from semantik.client.api import PATIENCE_S, Client, Page
from semantik.client.calls import Calls
from semantik.client.retries import Retries
from semantik.client.sync_calls import SyncCalls

P = ParamSpec("P")
T = TypeVar("T")


class SyncClient(SyncCalls):
    """As `Client`, on a loop in a thread of its own; `close`, or leaving a `with`, ends it."""

    def __init__(self, url: str, token: str = "", retries: Retries | None = None) -> None:
        super().__init__(lambda: Client(url, token, retries))

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def sign_in(self, username: str, password: str, code: str | None = None) -> None:
        """Sign in; the access token is renewed by itself. `code` is that of the second factor."""
        self.run(lambda client: _full(client).sign_in(username, password, code))

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call `/api/v2/<path>` once and return its JSON."""
        return self.run(lambda client: _full(client).call(method, path, body, **query))

    def watch(
        self, operation_id: str, since: str | None = None, patience_s: float = PATIENCE_S
    ) -> Iterator[dict[str, Any]]:
        """An operation's messages to its end; see `Client.watch`."""
        return self.iterate(lambda client: _full(client).watch(operation_id, since, patience_s))

    def watch_all(self, patience_s: float = PATIENCE_S) -> Iterator[dict[str, Any]]:
        """The messages of all operations; it never ends. See `Client.watch_all`."""
        return self.iterate(lambda client: _full(client).watch_all(patience_s))

    def each(self, listing: Callable[P, Page[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        """The items of all pages: `client.each(client.list_documents, collection_id)`."""
        cursor: dict[str, Any] = {}
        while True:
            page = listing(*args, **{**kwargs, **cursor})
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}


def _full(client: Calls) -> Client:
    assert isinstance(client, Client)  # as __init__ makes it
    return client
