"""Which of several servers starts an operation: one that has its folder and its model. Otherwise it waits visibly.

Each server writes to its record which operations it refuses. Once all that are alive refuse one, the operation says
so; before that, another server is expected to take it. What a server refuses, it runs all the same where it is the only
one, or when the operation has waited `operations.unreadable_wait_s`: then it ends with the error that says what is
wrong. Only a label that a source asks for is never ignored. Runs on the loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta

from pipeline.context.context import Dependencies
from pipeline.execution.requirements import Refusal, Requirements, Unknown, no_such_server
from semantik.core.models import Operation, now
from semantik.storage.mongo.instances import SILENT_AFTER, Instance

_LOOK_S = 5.0
_FRESH_S = 0.2


class Placement:
    """Ask `may_start` for each operation that could start here, and call `settle` after each round of the queue."""

    def __init__(self, deps: Dependencies, owner: str) -> None:
        self._deps = deps
        self._owner = owner
        self._requirements = Requirements(deps)
        self._refused: dict[str, Refusal] = {}
        self._published: set[str] = set()
        self._looked_at = float("-inf")
        self._company_until = float("-inf")

    async def may_start(self, operation: Operation) -> bool:
        """Whether this server may start the operation, or resume it."""
        if time.monotonic() - self._looked_at > _FRESH_S:
            await self._look()
        try:
            refusal = await self._requirements.refusal(operation, label_only=self._is_alone)
        except Unknown:
            return False
        if refusal is None:
            self._refused.pop(operation.id, None)
            return True
        self._refused[operation.id] = refusal
        return not refusal.by_label and self._is_overdue(operation)

    async def settle(self, active: Sequence[Operation]) -> None:
        """Publish what is refused here, and say of each operation that nobody can take why it waits."""
        self._refused = {one.id: self._refused[one.id] for one in active if one.id in self._refused}
        refused = set(self._refused)
        if refused != self._published and await self._deps.store.instances.set_refused(self._owner, refused):
            self._published = refused
        if not refused:
            if time.monotonic() - self._looked_at > _LOOK_S:
                await self._look()
            return
        alive = await self._look()
        for operation in active:
            if operation.id in refused and not operation.cancel_requested:
                sentence = self._sentence(operation, alive)
                if sentence != operation.waiting:
                    await self._say(operation, sentence)

    @property
    def _is_alone(self) -> bool:
        return time.monotonic() >= self._company_until

    async def _look(self) -> list[Instance]:
        """The servers that are alive. Another one counts as company for a while after it was seen last.

        It may be restarting: what only that server can run must not fail here meanwhile.
        """
        moment, started = now(), time.monotonic()
        found = await self._deps.store.instances.all()
        lasting = max(timedelta(seconds=self._wait_s), SILENT_AFTER)
        for other in found:
            if other.id != self._owner:
                until = started + (lasting - (moment - other.seen_at)).total_seconds()
                self._company_until = max(self._company_until, until)
        self._looked_at = started
        return [one for one in found if not one.is_silent(moment)]

    def _is_overdue(self, operation: Operation) -> bool:
        since = operation.waiting_since
        return since is not None and now() - since >= timedelta(seconds=self._wait_s)

    @property
    def _wait_s(self) -> float:
        return self._deps.settings.operations.unreadable_wait_s

    def _sentence(self, operation: Operation, alive: Sequence[Instance]) -> str | None:
        """Why no server can take an operation that this one refuses; None while another may.

        Several servers say this of one operation: what one has said stands until it is not true any more.
        """
        refusal = self._refused[operation.id]
        may_run = [one for one in alive if refusal.label in ("", one.label)]
        if any(one.id != self._owner and operation.id not in one.refused for one in may_run):
            return None
        if refusal.by_label:
            return operation.waiting if may_run else refusal.sentence
        said = operation.waiting
        return said if said and said != no_such_server(refusal.label) else refusal.sentence

    async def _say(self, operation: Operation, sentence: str | None) -> None:
        changed = await self._deps.store.operations.set_waiting(operation, sentence)
        if changed is None:
            return
        async with self._deps.progress.publisher(operation.id, operation.last_message) as publisher:
            if operation.status == "queued":
                await publisher.publish("operation_queued", queue_position=0, waiting=sentence)
            else:
                await publisher.publish("status_update", status=operation.status, waiting=sentence)
            await self._deps.store.operations.record_message(operation.id, publisher.last_seq)
