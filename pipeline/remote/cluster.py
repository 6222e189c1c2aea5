"""The connection to the cluster's scheduler: made again and again, and watched; tasks go out, answers come in.

Runs on the loop. Knows neither files nor models.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Set
from concurrent.futures import CancelledError as FutureCancelled
from contextlib import suppress
from typing import Any
from uuid import uuid4

from distributed import Client

from pipeline.remote.requests import RESOURCE, RecogniseRequest, Request
from pipeline.remote.tasks import run
from pipeline.remote.tls import security, use_our_log
from semantik.app.health import ClusterState, RemoteWorkerInfo
from semantik.config.settings import PoolSettings

_CONNECT_S = 15.0
_LOOK_S = 2.0  # between two questions to the scheduler
_ANSWER_S = 10.0  # a scheduler that needs longer is away
_CLOSE_S = 5.0
_RELEASE_S = 1.0  # in which the library ends what waits for a released task
_RETRY_S = (1.0, 2.0, 5.0, 10.0)
_log = logging.getLogger(__name__)


class ClusterAway(Exception):
    """The cluster cannot finish the task: there is no connection, no worker, or no answer in time."""


class Cluster:
    """`slots` is how many tasks its workers run at the same time, 0 while it is away; `on_change` is called after.

    `state` is for the status page.
    """

    def __init__(self, settings: PoolSettings, on_change: Callable[[int], None]) -> None:
        self._settings = settings
        self._on_change = on_change
        self._client: Client | None = None
        # What each of the workers offers, and what each request that waits for an answer needs of one of them.
        self._offers: tuple[Set[str], ...] = ()
        self._waiting: dict[asyncio.Future[None], Set[str]] = {}
        self._answers: set[asyncio.Future[bytes]] = set()
        self._task: asyncio.Task[None] | None = None
        self.was_away = False
        self._known = (0, 0)
        self.slots = 0
        self.state = ClusterState(settings.scheduler, connected=False)

    def start(self) -> None:
        """Raises ConfigError when the certificates cannot be used."""
        security(self._settings)
        use_our_log()
        self._task = asyncio.create_task(self._keep_connected(), name="cluster")

    async def close(self) -> None:
        """Tasks that still run raise ClusterAway."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._answers:
            _, late = await asyncio.wait(self._answers, timeout=_RELEASE_S)
            for answer in late:
                answer.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def has(self, resources: Set[str]) -> bool:
        """Whether there is a worker with all of these, beside the processes for any task."""
        return any(resources | {RESOURCE} <= offered for offered in self._offers)

    async def run(self, request: Request, timeout_s: float) -> bytes:
        """The answer of a worker; cancelling ends the task there. Raises ClusterAway."""
        client = self._client
        needed: Set[str] = request.resources if isinstance(request, RecogniseRequest) else frozenset()
        if client is None or not self.has(needed):
            raise ClusterAway("no worker for it is connected")
        key = f"{type(request).__name__}-{uuid4()}"
        try:
            future = client.submit(
                run, request, key, key=key, pure=False, resources=dict.fromkeys({RESOURCE, *needed}, 1)
            )
        except (
            Exception
        ) as error:  # the client has been closed meanwhile: the library raises what comes of it
            raise ClusterAway(str(error)) from error
        answer: asyncio.Future[bytes] = asyncio.ensure_future(future.result())
        self._answers.add(answer)
        answer.add_done_callback(self._forget)
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[lost] = needed
        try:
            waited: set[asyncio.Future[Any]] = {answer, lost}
            await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ClusterAway("the workers have gone" if lost.done() else "the task took too long")
            if answer.cancelled():
                raise ClusterAway("the connection to the scheduler was closed")
            return answer.result()
        except (ClusterAway, OSError, TimeoutError, FutureCancelled) as error:
            raise ClusterAway(str(error) or type(error).__name__) from error
        except (
            Exception
        ) as error:  # such as KilledWorker, or what the worker raises if it cannot unpack the task
            _log.error("The cluster could not run a task, which runs here: %r", error)
            raise ClusterAway(str(error)) from error
        finally:
            del self._waiting[lost]
            # Of a task that still runs, the worker hears, and ends it; `answer` ends by that, too. It must not be
            # cancelled: where it has begun to fetch its result, all later results of this client would be cancelled.
            future.release()

    def _forget(self, answer: asyncio.Future[bytes]) -> None:
        self._answers.discard(answer)
        if not answer.cancelled():
            answer.exception()  # else it is reported as never retrieved

    async def _keep_connected(self) -> None:
        attempts = 0
        while True:
            try:
                await self._connect_and_watch()
            except Exception as error:  # the server goes on, whatever is wrong with the cluster
                if not self.was_away:
                    _log.warning(
                        "The cluster at %s is away, local workers take its tasks: %s",
                        self._settings.scheduler,
                        str(error) or type(error).__name__,
                    )
                attempts = 0 if not self.was_away else attempts
                self.was_away = True
            await asyncio.sleep(_RETRY_S[min(attempts, len(_RETRY_S) - 1)])
            attempts += 1

    async def _connect_and_watch(self) -> None:
        """Never returns; raises when the connection is lost or cannot be made."""
        client = Client(
            self._settings.scheduler,
            security=security(self._settings),
            asynchronous=True,
            set_as_default=False,
            timeout=_CONNECT_S,
            name="semantik",
        )
        try:
            await client
            self._client = client
            while True:
                async with asyncio.timeout(_ANSWER_S):
                    self._set_slots(await client.scheduler.identity(n_workers=-1))
                await asyncio.sleep(_LOOK_S)
                if client.status != "running":
                    raise ConnectionError("the connection to the scheduler was lost")
        finally:
            self._client, self._known, self._offers = None, (0, 0), ()
            self.state = ClusterState(self._settings.scheduler, connected=False)
            self._change(0)
            self._end_unmet()
            with suppress(Exception):
                async with asyncio.timeout(_CLOSE_S):
                    await client.close()

    def _set_slots(self, identity: Mapping[str, Any]) -> None:
        workers = identity["workers"].values()
        self.state = ClusterState(self._settings.scheduler, True, tuple(map(_worker, workers)))
        self._offers = tuple(frozenset(each.get("resources", {})) for each in workers)
        self._end_unmet()
        offers = [int(each.get("resources", {}).get(RESOURCE, 0)) for each in workers]
        slots = sum(offers)
        known = slots, len(offers)
        if known == self._known and not self.was_away:
            return
        self._known, self.was_away = known, False
        others = "" if all(offers) else f"; {offers.count(0)} workers are not of this version ({RESOURCE})"
        _log.info(
            "The cluster at %s has %d workers, which run %d tasks at a time%s",
            self._settings.scheduler,
            len(offers) - offers.count(0),
            slots,
            others,
        )
        self._change(slots)

    def _change(self, slots: int) -> None:
        if slots != self.slots:
            self.slots = slots
            self._on_change(slots)

    def _end_unmet(self) -> None:
        """What waits for a worker that has gone runs here."""
        for lost, needed in self._waiting.items():
            if not lost.done() and not self.has(needed):
                lost.set_result(None)


def _worker(identity: Mapping[str, Any]) -> RemoteWorkerInfo:
    counts = identity.get("metrics", {}).get("task_counts", {})
    return RemoteWorkerInfo(
        str(identity["name"]),
        str(identity["host"]),
        int(identity.get("resources", {}).get(RESOURCE, 0)),
        int(counts.get("executing", 0)),
        round(max(0.0, time.time() - float(identity["last_seen"])), 1),
    )
