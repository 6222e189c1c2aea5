"""One frozen Settings for the whole server; `configuration.py` reads it from file, environment and command line.

Each setting stands here once: its name, default, what is allowed, and a sentence. The command line flags, the
environment's names, `conf/semantik.toml` and `docs/reference/configuration.md` are tested against this file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import voluptuous as vol

from semantik.core.errors import Invalid
from semantik.core.globs import Globs


def _setting(default: Any, check: Any, doc: str, live: bool = False) -> Any:
    """Declare one setting: its default, a voluptuous check, and the sentence that explains it."""
    metadata = {"check": check, "doc": doc, "live": live}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: tuple(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _reloadable(default: Any, check: Any, doc: str) -> Any:
    """Declare one that a running server takes anew when it reloads (`live.py`); the others need a restart."""
    return _setting(default, check, doc, live=True)


def _at_least(low: float) -> Any:
    return vol.Range(min=low, msg=f"a number of at least {low:g}")


def _between(low: float, high: float) -> Any:
    return vol.Range(min=low, max=high, msg=f"a number from {low:g} to {high:g}")


def _one_of(*values: str) -> Any:
    return vol.In(values, msg="one of " + ", ".join(values))


def _all(test: Callable[[str], bool], msg: str) -> Any:
    def check(items: tuple[str, ...]) -> tuple[str, ...]:
        if not all(test(item) for item in items):
            raise vol.Invalid(msg)
        return items

    return check


def _globs(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        Globs(value)
    except Invalid as error:
        raise vol.Invalid(f"globs ({error})") from error
    return value


_ANY = vol.Schema(object)
_NOT_EMPTY = vol.Length(min=1, msg="a text that is not empty")
_MIB = 1 << 20


@dataclass(frozen=True)
class DocumentSettings:
    """What may be read from the disk, and how much of it."""

    roots: tuple[str, ...] = _reloadable(
        ["/"],
        _all(lambda path: path.startswith("/") and "\0" not in path, "a list of absolute paths"),
        "Folders below which documents may be read; symlinks are resolved first.",
    )
    exclude: tuple[str, ...] = _reloadable(
        [".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv"],
        _globs,
        "Names (globs) that a scan passes over.",
    )
    max_file_bytes: int = _reloadable(
        100 * _MIB, _at_least(1), "A larger file is marked failed, category too_large."
    )
    max_files: int = _reloadable(1_000_000, _at_least(1), "A scan stops at this many files, with a warning.")
    missing: str = _reloadable(
        "remove",
        _one_of("remove", "keep"),
        "What becomes of documents whose files a scan does not find any more: keep only marks them.",
    )
    file_timeout_s: float = _reloadable(
        120.0, _at_least(0.1), "A file that takes the extractor longer is marked failed, category timeout."
    )


@dataclass(frozen=True)
class EmbeddingSettings:
    """The default model, and how texts are cut for it; each collection may choose its own."""

    model: str = _setting(
        "sentence-transformers/all-MiniLM-L6-v2",
        _NOT_EMPTY,
        "A sentence-transformers name or path; the default is bundled.",
    )
    precision: str = _setting(
        "auto", _one_of("auto", "float32", "bfloat16"), "auto takes bfloat16 where the processor has it."
    )
    chunk_size: int = _reloadable(
        200, _between(16, 100_000), "Tokens in a chunk at most; capped by what the model reads."
    )
    chunk_overlap: int = _reloadable(
        20, _between(0, 50_000), "Tokens that neighbouring chunks share; less than chunk_size."
    )
    batch_chunks: int = _reloadable(256, _between(1, 10_000), "Chunks embedded in one task of the pool.")


@dataclass(frozen=True)
class PoolSettings:
    """The worker processes."""

    workers: int = _setting(0, _between(0, 1024), "Processes that extract and embed; 0 is one per core.")
    worker_memory_bytes: int = _setting(
        2048 * _MIB, _at_least(256 * _MIB), "What a worker may allocate before it is ended."
    )
    batch_files: int = _reloadable(16, _between(1, 1000), "Files in one batch at most.")
    batch_bytes: int = _reloadable(
        8 * _MIB, _at_least(1), "Bytes of files in one batch; a larger file is a batch of its own."
    )
    idle_s: float = _reloadable(
        300.0,
        _at_least(0),
        "Seconds without work until the batch workers and their model are unloaded; 0 is never.",
    )


@dataclass(frozen=True)
class IndexSettings:
    """The vector segments on disk, a cache of what MongoDB holds."""

    engine: str = _setting(
        "codes", _one_of("codes", "annoy"), "What finds the nearest of many vectors: codes or annoy."
    )
    exact_below: int = _setting(
        4000, _at_least(0), "Segments with fewer vectors are scanned exactly, without the engine."
    )
    trees: int = _setting(50, _between(1, 1000), "Trees in a segment, where the engine is annoy.")
    target_recall: float = _setting(
        0.95, _between(0.5, 1.0), "Recall at 10 that the engine is calibrated to in each segment."
    )
    tail_rows: int = _setting(
        4096, _between(1, 1_000_000), "New vectors held in memory before they become a segment."
    )


@dataclass(frozen=True)
class SearchSettings:
    """Limits of a search."""

    max_results: int = _reloadable(1000, _between(1, 100_000), "offset + k of one search at most.")
    cache_queries: int = _reloadable(1000, _between(0, 1_000_000), "Query embeddings kept in memory.")
    timeout_s: float = _reloadable(
        60.0, _at_least(1), "A search whose query waits longer to be embedded gets 503."
    )


@dataclass(frozen=True)
class ProgressSettings:
    """The Redis streams and their readers."""

    history_messages: int = _setting(10_000, _at_least(100), "Messages kept of each operation.")
    keep_s: int = _setting(86_400, _at_least(60), "How long an ended operation's messages are kept.")
    updates_per_s: float = _setting(
        10.0,
        _between(0.1, 1000),
        "Updates of one kind and operation in a second; failures and stages are never held back.",
    )
    linger_s: float = _reloadable(
        5.0, _at_least(0), "How long a socket stays open after an operation's last message."
    )


@dataclass(frozen=True)
class SocketSettings:
    """The WebSockets and event streams; what is counted is counted across all servers on one Redis."""

    per_user: int = _reloadable(10, _at_least(1), "Sockets that one user may have open.")
    per_operation: int = _reloadable(100, _at_least(1), "Sockets that may watch one operation.")
    scans_per_user: int = _reloadable(
        2, _at_least(1), "Directory scans that one user may run at the same time."
    )
    messages_per_s: int = _reloadable(
        20, _at_least(1), "Messages of a client in a second; a socket with more is closed."
    )
    message_bytes: int = _reloadable(
        64 << 10, _between(1024, 1 << 20), "A longer message of a client closes its socket."
    )
    send_queue_messages: int = _reloadable(
        2000, _at_least(10), "Messages that wait for one slow reader before it is dropped."
    )
    send_queue_bytes: int = _reloadable(4 * _MIB, _at_least(64 << 10), "The same in bytes.")
    ping_s: float = _reloadable(
        30.0, _between(1, 3600), "Seconds between pings; who does not answer one is dropped."
    )


@dataclass(frozen=True)
class OperationSettings:
    """Who runs what."""

    concurrent: int = _reloadable(2, _between(1, 100), "Operations that run at the same time in this server.")
    lease_s: float = _reloadable(
        15.0, _at_least(2), "An operation whose server is silent this long is taken over by another."
    )
    keep_s: int = _setting(
        30 * 86_400,
        _at_least(60),
        "How long the record of an ended operation is kept; semantik-cleanup removes older ones.",
    )


@dataclass(frozen=True)
class ReindexSettings:
    """How a collection's documents are cut and embedded anew."""

    grace_s: float = _reloadable(
        60.0, _at_least(0), "How long what was searched before a REINDEX stays, for answers under way."
    )
    sample: int = _reloadable(
        20, _between(0, 1000), "Chunks that a new index must find before it is searched."
    )


@dataclass(frozen=True)
class WatchSettings:
    """How soon and how often folders are scanned by themselves, those for which that is wished."""

    debounce_s: float = _reloadable(
        2.0,
        _between(0.1, 60),
        "A scan waits until nothing has changed for this long, but five times as long at most.",
    )
    pause_s: float = _reloadable(
        10.0,
        _between(1, 3600),
        "Time between two such scans of a folder at least; never less than five times what the last one took.",
    )
    poll_s: float = _reloadable(
        60.0,
        _at_least(1),
        "How often a folder is scanned in which changes cannot be noticed, or whose last scan failed.",
    )


@dataclass(frozen=True)
class ScanSettings:
    """The scans of folders that users watch live."""

    concurrent: int = _setting(
        4, _between(1, 100), "Scans at the same time in this server; others wait for their turn."
    )
    wait_s: float = _reloadable(30.0, _at_least(0.1), "A scan that waits longer for its turn is refused.")
    max_files: int = _reloadable(
        10_000, _between(1, 20_000), "Files that the answer to a scan lists at most; all are counted."
    )


@dataclass(frozen=True)
class AuthSettings:
    """Who may come in."""

    registration: str = _reloadable(
        "closed", _one_of("closed", "open"), "closed: only the first user, the administrator, can register."
    )
    secret: str = _setting(
        "",
        vol.Any("", vol.Length(min=32), msg="empty, or at least 32 characters"),
        "Signs the tokens; empty: made once and kept in MongoDB.",
    )
    access_token_s: int = _reloadable(900, _at_least(10), "Life of an access token.")
    session_s: int = _reloadable(
        14 * 86_400, _at_least(60), "Life of a session, the browser's and a refresh token's."
    )


@dataclass(frozen=True)
class LogSettings:
    """What the log looks like."""

    level: str = _reloadable(
        "info", _one_of("debug", "info", "warning", "error"), "The least that is logged."
    )
    format: str = _reloadable(
        "text", _one_of("text", "json"), "text: one line for people; json: one object a line."
    )


@dataclass(frozen=True)
class Settings:
    """Every setting of the server. `Settings(port=0, data=tmp_path)` is a whole configuration."""

    data: Path = _setting(
        Path("data"), _ANY, "The folder of the embedded stores and the index; made when missing."
    )
    host: str = _setting("127.0.0.1", _NOT_EMPTY, "The address that is listened on.")
    port: int = _setting(8080, _between(0, 65_535), "The port that is listened on; 0 takes a free one.")
    allowed_origins: tuple[str, ...] = _reloadable(
        [],
        _all(
            lambda origin: re.fullmatch(r"https?://[^/\s]+|null", origin) is not None,
            "a list of origins, as https://host[:port]",
        ),
        "Other origins whose pages may open sockets, as https://host[:port].",
    )
    metrics: str = _reloadable(
        "open",
        _one_of("open", "admin"),
        "Who may read /metrics: anybody (it holds counts only), or administrators.",
    )
    max_body_bytes: int = _reloadable(_MIB, _at_least(1024), "A larger request body is refused.")
    mongo_url: str = _setting(
        "",
        vol.Any("", vol.Match(r"mongodb(\+srv)?://"), msg="empty, or a mongodb:// URL"),
        "A MongoDB of your own (5 or newer); empty: the embedded one.",
    )
    mongo_database: str = _setting(
        "semantik",
        vol.Match(
            r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z",
            msg="a name of 1 to 63 letters, digits, hyphens, underscores",
        ),
        "The database's name.",
    )
    redis_url: str = _setting(
        "",
        vol.Any("", vol.Match(r"(rediss?|unix)://"), msg="empty, or a redis:// URL"),
        "A Redis of your own (6.2 or newer); empty: the embedded one.",
    )
    documents: DocumentSettings = dataclasses.field(default_factory=DocumentSettings)
    embedding: EmbeddingSettings = dataclasses.field(default_factory=EmbeddingSettings)
    pool: PoolSettings = dataclasses.field(default_factory=PoolSettings)
    index: IndexSettings = dataclasses.field(default_factory=IndexSettings)
    search: SearchSettings = dataclasses.field(default_factory=SearchSettings)
    progress: ProgressSettings = dataclasses.field(default_factory=ProgressSettings)
    sockets: SocketSettings = dataclasses.field(default_factory=SocketSettings)
    operations: OperationSettings = dataclasses.field(default_factory=OperationSettings)
    reindex: ReindexSettings = dataclasses.field(default_factory=ReindexSettings)
    watch: WatchSettings = dataclasses.field(default_factory=WatchSettings)
    scan: ScanSettings = dataclasses.field(default_factory=ScanSettings)
    auth: AuthSettings = dataclasses.field(default_factory=AuthSettings)
    log: LogSettings = dataclasses.field(default_factory=LogSettings)
