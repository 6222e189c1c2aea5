"""The connector for git: the files of one branch, as they are in its last commit. Runs on the loop.

A bare copy of the branch is kept beside the files. The revision of an item is the id of its blob, and the cursor
the id of the commit; so a scan after a crash fetches what is missing, and one without a new commit lists nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote

from pipeline.connectors.addresses import HttpAddress, http_address
from pipeline.connectors.git.history import Commit, head_commit, last_commits
from pipeline.connectors.git.program import GitProgram, authorization, pinned
from pipeline.connectors.protocol import (
    Connection,
    ConnectorError,
    Fetched,
    Field,
    Item,
    ItemError,
    KeptItem,
    Options,
    Unchanged,
)
from semantik.app.network import Unreachable
from semantik.core.errors import Invalid
from semantik.core.globs import Globs, expand_folder_globs

_HEAD = "refs/semantik/head"
_PIECE_BYTES = 1 << 20
_GC_S = 900.0  # it says nothing until it has ended
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER_BYTES = 1024  # as the specification says
_BAD_IN_BRANCH = set(" ~^:?*[\\")


class GitKind:
    """Sources of the kind `git`."""

    title = "Git repository"
    fields = (
        Field(
            "url",
            "Address",
            required=True,
            fixed=True,
            hint="As for git clone: https://example.org/team/handbook.git",
        ),
        Field(
            "branch",
            "Branch",
            fixed=True,
            hint="Empty: the one that the repository names as its main branch.",
        ),
        Field("include", "Files", "list", hint="Globs such as docs/ or *.md, one a line. Empty: all files."),
        Field("username", "User", hint="For a repository that is not public."),
        Field("password", "Password or token", "secret", hint="Stored encrypted, and never shown again."),
    )

    def address(self, options: Options) -> str:
        url = _url(options)
        branch = str(options["branch"])
        if branch and not _is_branch(branch):
            raise Invalid(f"options.branch is not allowed: {branch!r} is no name of a branch.")
        Globs(_include(options))
        return url.url.rstrip("/") + (f"@{quote(branch, safe='')}" if branch else "")

    @asynccontextmanager
    async def connect(self, connection: Connection) -> AsyncIterator[GitConnector]:
        url = _url(connection.options)
        try:
            addresses = await connection.network.resolve(url.host, url.port)
        except Unreachable as error:
            raise ConnectorError(str(error)) from error
        options = connection.options
        secret = authorization(str(options["username"]), str(options["password"]))
        secret |= pinned(url.host, url.port, addresses)
        git = GitProgram(connection.folder, connection.network.timeout_s, connection.max_bytes, secret)
        branch = str(options["branch"])
        reference = f"refs/heads/{branch}" if branch else "HEAD"
        await asyncio.to_thread(git.remove_locks)
        await git.run("init", "--quiet", "--bare", ".")
        await git.run("fetch", "--progress", "--no-tags", "--force", url.url, f"+{reference}:{_HEAD}")
        head = (await git.run("rev-parse", "--verify", f"{_HEAD}^{{commit}}")).decode().strip()
        await git.run("gc", "--auto", "--quiet", silence_s=_GC_S)
        async with git.process("cat-file", "--batch") as blobs:
            yield GitConnector(git, blobs, connection, head)


@dataclass(frozen=True)
class _File:
    blob: str
    size: int


class GitConnector:
    """The files of the commit `head`."""

    def __init__(
        self, git: GitProgram, blobs: asyncio.subprocess.Process, connection: Connection, head: str
    ) -> None:
        self._git = git
        self._blobs = blobs
        self._connection = connection
        self._include = Globs(_include(connection.options))
        self._base = connection.cursor
        self._head = head
        self._files: dict[str, _File] = {}
        self._commits: dict[str, Commit] = {}
        self._newest: Commit | None = None
        self._pointers = 0
        self._left_out = 0

    @property
    def unchanged(self) -> bool:
        return self._head == self._base

    @property
    def cursor(self) -> str:
        return self._head

    @property
    def warnings(self) -> Sequence[str]:
        said = []
        if self._pointers:
            said.append(
                f"{self._pointers} files of the repository are in Git LFS, which is not read: the repository itself "
                "has only pointers to them."
            )
        if self._left_out:
            said.append(
                f"{self._left_out} entries of the repository were left out: symbolic links, submodules, and names "
                "with characters that cannot be shown."
            )
        return said

    async def items(self, kept: Mapping[str, KeptItem]) -> AsyncGenerator[Item, None]:
        if self.unchanged:
            return
        self._files = await self._list()
        files = self._files
        changed = [name for name in files if name not in kept or kept[name].revision != files[name].blob]
        self._newest = await head_commit(self._git, self._head)
        self._commits = await last_commits(self._git, await self._span(), changed)
        for name, file in self._files.items():
            yield Item(name, file.blob)

    async def fetch(self, item: Item, kept: KeptItem | None) -> Fetched | Unchanged | None:
        file = self._files[item.name]
        if file.size > self._connection.max_item_bytes:
            raise ItemError(f"The file has {file.size:,} bytes, which is more than is kept of one.")
        assert self._newest is not None
        if file.size < _MAX_POINTER_BYTES and await self._is_pointer(file):
            self._pointers += 1
            return None
        commit = self._commits.get(item.name, self._newest)
        return Fetched(self._content(file), commit.at_s * 1_000_000_000, origin=commit.origin)

    async def _is_pointer(self, file: _File) -> bool:
        content = b"".join([piece async for piece in self._content(file)])
        return content.startswith(_LFS_POINTER)

    async def _content(self, file: _File) -> AsyncGenerator[bytes, None]:
        stdin, stdout = self._blobs.stdin, self._blobs.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{file.blob}\n".encode())
        try:
            async with asyncio.timeout(self._connection.network.timeout_s):
                header = (await stdout.readline()).split()
                if header[1:] != [b"blob", str(file.size).encode()]:
                    raise ConnectorError(
                        f"git lacks the content {file.blob} of the repository that it has fetched."
                    )
                left = file.size
                while left:
                    piece = await stdout.readexactly(min(left, _PIECE_BYTES))
                    left -= len(piece)
                    yield piece
                await stdout.readexactly(1)
        except (TimeoutError, asyncio.IncompleteReadError) as error:
            raise ConnectorError("git ended while it read the repository that it has fetched.") from error

    async def _list(self) -> dict[str, _File]:
        """The regular files of the commit that are included: no symbolic links, and no submodules."""
        output = await self._git.run("ls-tree", "-r", "-z", "-l", "--full-tree", self._head)
        files, self._left_out = await asyncio.to_thread(_files, output, self._include)
        return files

    async def _span(self) -> str:
        """The commits to look through: those since the last scan, if the branch has only grown since."""
        if not self._base:
            return self._head
        try:
            await self._git.run("merge-base", "--is-ancestor", self._base, self._head)
        except ConnectorError:  # the branch was set to something else
            return self._head
        return f"{self._base}..{self._head}"


def _files(listing: bytes, include: Globs) -> tuple[dict[str, _File], int]:
    """The files that are included, and the number of entries that would be, were they files with printable names."""
    files: dict[str, _File] = {}
    left_out = 0
    for line in listing.split(b"\0")[:-1]:
        about, _, path = line.partition(b"\t")
        mode, _, blob, size = about.split()
        name = path.decode("utf-8", "surrogateescape")
        if include and not include.match(name):
            continue
        if mode in (b"100644", b"100755") and name.isprintable():
            files[name] = _File(blob.decode(), int(size))
        else:
            left_out += 1
    return files, left_out


def _url(options: Options) -> HttpAddress:
    url = http_address(str(options["url"]), "url")
    if url.query or url.path == "/":
        raise Invalid("options.url is not allowed: the URL of a repository is expected, as for git clone.")
    return url


def _include(options: Options) -> tuple[str, ...]:
    include = options["include"]
    assert isinstance(include, tuple)
    return expand_folder_globs(include)


def _is_branch(name: str) -> bool:
    """The rules of git check-ref-format that matter here."""
    return not (
        _BAD_IN_BRANCH & set(name)
        or name.startswith(("-", "/", "."))
        or name.endswith(("/", ".", ".lock"))
        or any(each in name for each in ("..", "//", "@{", "/."))
    )
