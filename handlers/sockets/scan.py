"""`/ws/scan/{scan_id}`: scans of folders, live, one after another. Runs on the loop.

client -> server   (connect)    scan_id: a new UUID that the client made; the rest as in base.py
client -> server   {"action": "scan", "path": …}   recursive (true), include and exclude (globs) are optional
server -> client   progress     {scanned, total, total_size, current_path}, four times a second
client -> server   {"action": "cancel"}
server -> client   completed    {files: [{path, size, modified, extension}], count, total_size, warnings, truncated,
                            languages, recommended_model}
                                or cancelled {scanned}, or error {message, fatal: true}: one of them ends each scan
server -> client   error        {message, fatal: false}: the client's message was refused; a running scan continues
server -> client   (close)      never 1000; the rest as in base.py
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import voluptuous as vol

from handlers.fields import text
from handlers.passing_on import was_passed_on
from handlers.serializers import languages_json, timestamp_json
from handlers.sockets.base import SocketHandler
from handlers.sockets.client_message import ClientMessage
from handlers.sockets.passed_scan import ENDS, PassedScan
from handlers.sockets.send_queue import SlowReader
from semantik.auth.principal import Principal
from semantik.core.errors import Forbidden, Invalid, SemantikError, Unavailable
from semantik.services.folder_scans import FolderScan, ScanCancelled, ScanCompleted, ScanEvent, ScanOptions

log = logging.getLogger("semantik.socket")

_SCANNED = "folder.scan"  # the action in the audit trail
_GLOBS = vol.All(vol.Any(list, msg="a list of globs"), [text()], lambda globs: tuple(globs))
_SCAN = vol.Schema(
    {
        vol.Required("action"): "scan",
        vol.Required("path", msg="the folder to scan is missing"): text(),
        "recursive": vol.Any(bool, msg="true or false"),
        "include": _GLOBS,
        "exclude": _GLOBS,
    }
)
_CANCEL = vol.Schema({vol.Required("action"): "cancel"})


class ScanSocketHandler(SocketHandler):
    operation_type = "scan"
    scope = "write"  # it shows what lies on the server's disks, for a new source
    _scan: FolderScan | PassedScan | None = None
    _was_passed_on = False

    @property
    def subject(self) -> dict[str, str]:
        return {"scan_id": self.path_args[0]}

    def prepare(self) -> None:
        super().prepare()
        self._was_passed_on = was_passed_on(self.request)

    async def serve(self, principal: Principal) -> None:
        self._principal = principal
        self._started: asyncio.Queue[tuple[FolderScan, Mapping[str, Any]]] = asyncio.Queue()
        with self.services.folder_scans.reserve_id(_parse_uuid(self.path_args[0])):
            async with self.services.connection_limiter.socket(principal.user.id):
                with self.services.metrics.connection(self.operation_type):
                    self.mark_ready()
                    while True:
                        await self._run(principal, *await self._started.get())

    async def on_client_message(self, message: ClientMessage) -> None:
        action = message.fields.get("action")
        if action == "cancel":
            message.validate(_CANCEL)
            if self._scan is None:
                raise Invalid("No scan is running, so there is none to cancel.")
            self._scan.stop()
        elif action == "scan":
            fields = message.validate(_SCAN)
            given = {name: value for name, value in fields.items() if name != "action"}
            roots = await self.services.folder_access.roots(self._principal)
            options = ScanOptions(**given, roots=roots)
            if self._scan is not None:
                raise Invalid("A scan is running on this socket: cancel it, or wait for its end.")
            self._scan = scan = self.services.folder_scans.start(options)
            self._started.put_nowait((scan, message.fields))
        else:
            raise Invalid("action: a known action (scan or cancel), or type: ping.")

    async def _run(self, principal: Principal, scan: FolderScan, message: Mapping[str, Any]) -> None:
        """Send the steps of a scan to its end; an error of its own ends the scan alone."""
        refusal: SemantikError | None = None
        try:
            try:
                await self._run_here(principal, scan)
            except (Invalid, Forbidden):
                if not await self._run_elsewhere(principal, scan.options.path, message):
                    raise
        except SlowReader:
            raise
        except SemantikError as error:
            refusal = error
            self._send_last("error", {"message": str(error), "fatal": True})
        finally:
            self.record_audit(_SCANNED, principal, refusal, path=scan.options.path)

    async def _run_here(self, principal: Principal, scan: FolderScan) -> None:
        async with (
            self.services.connection_limiter.scan(principal.user.id),
            aclosing(scan.events()) as steps,
        ):
            async for step in steps:
                await self._send_step(step)

    async def _run_elsewhere(self, principal: Principal, path: str, message: Mapping[str, Any]) -> bool:
        """Whether another server sees the folder, and has scanned it. Raises Unavailable when that breaks off."""
        passing_on = self.services.passing_on
        for peer in [] if self._was_passed_on else await passing_on.peers.seeing(path):
            url = f"ws{peer.peer_url.removeprefix('http')}{self.request.path}"
            scan = PassedScan(url, passing_on.ticket(principal, "GET", self.request.path), message)
            self._scan, begun = scan, False
            try:
                async with aclosing(scan.messages()) as messages:
                    async for kind, data in messages:
                        if kind == "error" and not begun:
                            break  # it does not see the folder either
                        begun = True
                        await self._send_passed(kind, data)
            except Unavailable as error:
                if begun:
                    raise
                log.warning("The server %s at %s did not scan: %s", peer.host, peer.peer_url, error)
            if begun:
                return True
        return False

    async def _send_passed(self, kind: str, data: dict[str, Any]) -> None:
        encoded = await asyncio.to_thread(self._encoding.encode, kind, data, **self.subject)
        await self.wait_writable()
        if kind in ENDS:
            self._scan = None  # first, since the client may answer with a new scan
        self.push(encoded, 1)

    async def _send_step(self, step: ScanEvent) -> None:
        if isinstance(step, ScanCompleted):
            # Thousands of files take their time to be serialised and compressed.
            data = await asyncio.to_thread(self._encode, step)
            await self.wait_writable()
            self._scan = None
            self.push(data, 1)
        elif isinstance(step, ScanCancelled):
            self._send_last("cancelled", {"scanned": step.scanned})
        else:
            self.send(
                "progress",
                {
                    "scanned": step.scanned,
                    "total": step.total,
                    "total_size": step.total_size,
                    "current_path": step.current_path,
                },
            )

    def _send_last(self, type: str, data: dict[str, Any]) -> None:
        self._scan = None  # first, since the client may answer with a new scan
        self.send(type, data)

    def _encode(self, step: ScanCompleted) -> bytes:
        return self._encoding.encode("completed", _completed_json(step), **self.subject)


def _completed_json(step: ScanCompleted) -> dict[str, Any]:
    files = [
        {
            "path": each.path,
            "size": each.size,
            "modified": timestamp_json(datetime.fromtimestamp(each.modified_ns // 10**6 / 1000, UTC)),
            "extension": each.extension,
        }
        for each in step.files
    ]
    return {
        "files": files,
        "count": step.count,
        "total_size": step.total_size,
        "warnings": list(step.warnings),
        "truncated": step.truncated,
        **languages_json(step.languages),
    }


def _parse_uuid(scan_id: str) -> str:
    """The UUID in lower case; raises Invalid."""
    try:
        parsed = str(UUID(scan_id))
    except ValueError:
        parsed = ""
    if parsed != scan_id.lower():
        raise Invalid("The scan_id must be a UUID of your own, as crypto.randomUUID() makes it.")
    return parsed
