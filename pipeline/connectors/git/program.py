"""Runs the program `git` for repositories that nobody trusts. Runs on the loop.

It gets no settings of the system and the user, no hooks, prompts, submodules and redirections, and no protocol but
HTTP. Nothing is ever checked out.

Secrets go through the environment, which only processes of the same user can read; the command line has none, and no
file.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pipeline.connectors.protocol import ConnectorError
from semantik.core.child_environment import child_environment

_SETTINGS = {
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "http.followRedirects": "false",
    "http.proxy": "",
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.attributesFile": "/dev/null",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "2000",
    "gc.autoPackLimit": "20",
    "gc.autoDetach": "false",
    "maintenance.auto": "false",  # only when asked to
    "pack.threads": "1",
    "uploadpack.packObjectsHook": "",
    "safe.directory": "*",
}
_MAX_ERROR_BYTES = 4096
_READ_BYTES = 1 << 16
_KILL_S = 5.0


class GitProgram:
    """Runs `git` in the bare repository `folder`. `secret` are further settings, whose values nobody may see."""

    def __init__(self, folder: Path, silence_s: float, max_bytes: int, secret: Mapping[str, str]) -> None:
        self._folder = folder
        self._silence_s = silence_s
        self._max_bytes = max_bytes
        self._settings = {**_SETTINGS, **secret}

    async def run(self, *arguments: str, silence_s: float | None = None) -> bytes:
        """What a command writes. Raises ConnectorError with the last of what it complains of, or when it is silent."""
        silence_s = silence_s or self._silence_s
        async with self.process(*arguments) as process:
            try:
                output, errors = await asyncio.gather(
                    self._all(process.stdout), self._all(process.stderr, silence_s, _MAX_ERROR_BYTES)
                )
                async with asyncio.timeout(silence_s):
                    status = await process.wait()
            except TimeoutError as error:
                raise ConnectorError(
                    f"git {arguments[0]} was silent for {silence_s:g} s (connectors.timeout_s)."
                ) from error
        if status:
            raise ConnectorError(_complaint(errors))
        return output

    def remove_locks(self) -> None:
        """Remove what a git that was killed has left, since no other one works here. Blocks."""
        for path in (*self._folder.rglob("*.lock"), *self._folder.glob("objects/pack/tmp_*")):
            path.unlink(missing_ok=True)

    @asynccontextmanager
    async def process(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A running command, which is killed at the end if it still runs."""
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                "-C",
                str(self._folder),
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment(),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise ConnectorError(
                "The program git is not installed on the server's machine: install it, with apt install git."
            ) from error
        try:
            with suppress(ProcessLookupError):  # it bounds the pack that is written, too: children inherit it
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (self._max_bytes, self._max_bytes))
            yield process
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
            with suppress(TimeoutError):
                async with asyncio.timeout(_KILL_S):
                    await process.wait()

    async def _all(
        self, stream: asyncio.StreamReader | None, silence_s: float | None = None, keep: int = 0
    ) -> bytes:
        """Everything of a stream, or its last `keep` bytes. Raises TimeoutError after a silence."""
        assert stream is not None
        pieces = bytearray()
        while True:
            async with asyncio.timeout(silence_s):
                piece = await stream.read(_READ_BYTES)
            if not piece:
                return bytes(pieces)
            pieces += piece
            if keep:
                del pieces[:-keep]

    def _environment(self) -> dict[str, str]:
        environment = {
            **child_environment(os.environ),
            "HOME": str(self._folder),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_ALLOW_PROTOCOL": "http:https",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_CONFIG_COUNT": str(len(self._settings)),
        }
        for at, (name, value) in enumerate(self._settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{at}": name, f"GIT_CONFIG_VALUE_{at}": value}
        return environment


def authorization(username: str, password: str) -> dict[str, str]:
    """The setting that sends a password; empty without one."""
    if not password:
        return {}
    token = base64.b64encode(f"{username or 'git'}:{password}".encode()).decode()
    return {"http.extraHeader": f"Authorization: Basic {token}"}


def pinned(host: str, port: int, addresses: Sequence[str]) -> dict[str, str]:
    """The setting that has git connect to the addresses that were checked, whatever the name means by then."""
    if host in addresses:
        return {}
    listed = ",".join(f"[{each}]" if ":" in each else each for each in addresses)
    return {"http.curloptResolve": f"{host}:{port}:{listed}"}


def _complaint(errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").replace("\r", "\n").splitlines()
    marked = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    text = " ".join(line.partition(": ")[2] if line.startswith("fatal") else line for line in marked[-3:])
    if "Authentication failed" in text or "could not read Username" in text:
        return "The git server asks for a user and a password, or refuses those of this source: change its options."
    if "couldn't find remote ref" in text:
        return "The repository has no such branch: " + text.strip() + "."
    return f"git could not fetch the repository: {text.strip() or 'it gave no reason'}."
