"""What the history says of the files of a branch: the last commit that changed each. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from pipeline.connectors.git.program import GitProgram

_MARK = b"\x01"
_FORMAT = "--format=%x01%H%x00%at%x00%an%x00%s"
_FIELDS = 4
_MAX_TEXT = 500


@dataclass(frozen=True)
class Commit:
    """A commit: its id, when it was authored in seconds since 1970, by whom, and its first line."""

    id: str
    at_s: int
    author: str
    subject: str

    @property
    def origin(self) -> dict[str, str]:
        return {"commit": self.id, "author": self.author, "subject": self.subject}


async def head_commit(git: GitProgram, commit: str) -> Commit:
    output = await git.run("log", "-1", _FORMAT, "-z", commit)
    return _parsed(output.lstrip(_MARK).split(b"\0")[:_FIELDS])


async def last_commits(git: GitProgram, span: str, paths: Collection[str]) -> dict[str, Commit]:
    """For each of the paths the newest commit in `span` (as `A..B`, or `B`) that changed it, if one did."""
    wanted = set(paths)
    found: dict[str, Commit] = {}
    if not wanted:
        return found
    async with git.process("log", "-z", "--name-only", "--no-renames", _FORMAT, span) as process:
        assert process.stdout is not None
        commit: list[bytes] = []
        current: Commit | None = None
        async for field in _fields(process.stdout):
            if 0 < len(commit) < _FIELDS:
                commit.append(field)
            elif field.startswith(_MARK):
                commit, current = [field[1:]], None
            else:
                current = current or _parsed(commit)
                path = field.removeprefix(b"\n").decode("utf-8", "surrogateescape")
                if path in wanted:
                    found[path] = current
                    wanted.discard(path)
                    if not wanted:
                        break
    return found


async def _fields(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """What NUL bytes separate."""
    rest = b""
    while piece := await stream.read(1 << 16):
        *fields, rest = (rest + piece).split(b"\0")
        for field in fields:
            yield field
    if rest:
        yield rest


def _parsed(fields: list[bytes]) -> Commit:
    commit, at, author, subject = (each.decode("utf-8", "replace")[:_MAX_TEXT] for each in fields)
    return Commit(commit, int(at) if at.isdecimal() else 0, author, subject)
