"""One frozen Settings for the whole server; `loader.py` reads it from file, environment and command line.

Each setting stands here once: name, default, check and sentence (`fields.py`). Tests compare the command line's flags,
the names of environment variables, `conf/semantik.toml` and `docs/reference/configuration.md` with this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import voluptuous as vol

from semantik.config.assistant_settings import AnswerSettings as AnswerSettings
from semantik.config.assistant_settings import McpSettings as McpSettings
from semantik.config.audit_settings import AuditSettings as AuditSettings
from semantik.config.auth_settings import AuthSettings as AuthSettings
from semantik.config.connection_settings import ConnectionSettings as ConnectionSettings
from semantik.config.connection_settings import RateLimitSettings as RateLimitSettings
from semantik.config.connector_settings import ConnectorSettings as ConnectorSettings
from semantik.config.document_settings import DocumentSettings as DocumentSettings
from semantik.config.fields import (
    ANY,
    NOT_EMPTY,
    at_least,
    between,
    each,
    empty_or,
    networks,
    one_of,
    reloadable,
    setting,
)
from semantik.config.milvus_settings import MilvusSettings as MilvusSettings
from semantik.config.notification_settings import AlertSettings as AlertSettings
from semantik.config.notification_settings import SmtpSettings as SmtpSettings
from semantik.config.notification_settings import WebhookSettings as WebhookSettings
from semantik.config.operation_settings import OperationSettings as OperationSettings
from semantik.config.operation_settings import ReindexSettings as ReindexSettings
from semantik.config.operation_settings import ScanSettings as ScanSettings
from semantik.config.operation_settings import WatchSettings as WatchSettings
from semantik.config.pool_settings import PoolSettings as PoolSettings
from semantik.config.sign_in_settings import SignInSettings as SignInSettings
from semantik.config.upload_settings import UploadSettings as UploadSettings

_MIB = 1 << 20
LABEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z"


@dataclass(frozen=True)
class EmbeddingSettings:
    """The default model, and how texts are split for it; each collection may choose its own."""

    model: str = setting(
        "sentence-transformers/all-MiniLM-L6-v2",
        NOT_EMPTY,
        "A model's name or path, or multilingual; the default is bundled.",
    )
    allowed_models: tuple[str, ...] = reloadable(
        [],
        each(lambda path: path.startswith("/") and "\0" not in path, "a list of absolute paths"),
        "Folders of models that users may name by their paths for collections; empty: none but embedding.model.",
    )
    device: str = setting(
        "auto",
        vol.Match(r"(auto|cpu|cuda(:\d{1,3})?)\Z", msg="auto, cpu, cuda or cuda:n"),
        "What computes: auto takes all GPUs that there are, else the processor; cuda:0 one GPU.",
    )
    precision: str = setting(
        "auto", one_of("auto", "float32", "bfloat16"), "auto uses bfloat16 where the device supports it."
    )
    chunk_size: int = reloadable(
        200, between(16, 100_000), "Tokens in a chunk at most; limited by what the model reads."
    )
    chunk_overlap: int = reloadable(
        20, between(0, 50_000), "Tokens that neighbouring chunks share; less than chunk_size."
    )
    batch_chunks: int = reloadable(256, between(1, 10_000), "Chunks embedded in one task of the pool.")


@dataclass(frozen=True)
class IndexSettings:
    """The vector segments on disk, a cache of what MongoDB holds."""

    engine: str = setting(
        "codes",
        one_of("codes", "annoy", "milvus"),
        "How the nearest of many vectors are found: codes or annoy, on this machine, or milvus, an engine.",
    )
    exact_below: int = setting(
        4000, at_least(0), "Segments with fewer vectors are scanned exactly, without the engine."
    )
    trees: int = setting(50, between(1, 1000), "Trees in a segment, where the engine is annoy.")
    target_recall: float = setting(
        0.95, between(0.5, 1.0), "Recall at 10 that the engine is calibrated to in each segment."
    )
    tail_rows: int = setting(
        4096, between(1, 1_000_000), "New vectors held in memory before they become a segment."
    )


@dataclass(frozen=True)
class SearchSettings:
    """Limits of a search."""

    max_results: int = reloadable(1000, between(1, 100_000), "offset + k of one search at most.")
    cache_queries: int = reloadable(1000, between(0, 1_000_000), "Query embeddings kept in memory.")
    timeout_s: float = reloadable(
        60.0, at_least(1), "A search whose query waits longer to be embedded gets 503."
    )
    meaning_wait_s: float = reloadable(
        10.0,
        at_least(0.1),
        "A hybrid search whose query waits longer to be embedded is answered by its words.",
    )
    reranker: str = reloadable(
        "", ANY, "Name or path of a cross-encoder that orders the best hits; empty: none."
    )
    rerank_budget_ms: int = reloadable(
        300, between(1, 60_000), "Milliseconds that a search waits for the cross-encoder at most."
    )


@dataclass(frozen=True)
class ProgressSettings:
    """The Redis streams and their readers."""

    history_messages: int = setting(10_000, at_least(100), "Messages kept of each operation.")
    keep_s: int = setting(86_400, at_least(60), "How long an ended operation's messages are kept.")
    updates_per_s: float = setting(
        10.0,
        between(0.1, 1000),
        "Updates per second of one type and operation; failures and stages are never delayed.",
    )
    linger_s: float = reloadable(
        5.0, at_least(0), "How long a socket stays open after an operation's last message."
    )


@dataclass(frozen=True)
class SocketSettings:
    """The WebSockets and event streams; all servers on one Redis share the counts."""

    per_user: int = reloadable(10, at_least(1), "Sockets that one user may have open.")
    per_operation: int = reloadable(100, at_least(1), "Sockets that may watch one operation.")
    scans_per_user: int = reloadable(2, at_least(1), "Folder scans that one user may run at the same time.")
    messages_per_s: int = reloadable(
        20, at_least(1), "Messages per second from a client; more close its socket."
    )
    message_bytes: int = reloadable(
        64 << 10, between(1024, 1 << 20), "A longer message from a client closes its socket."
    )
    send_queue_messages: int = reloadable(
        2000, at_least(10), "Messages that wait for one slow reader before it is dropped."
    )
    send_queue_bytes: int = reloadable(4 * _MIB, at_least(64 << 10), "The same in bytes.")
    ping_s: float = reloadable(
        30.0, between(1, 3600), "Seconds between pings; a client that does not answer is disconnected."
    )


@dataclass(frozen=True)
class LogSettings:
    """What the log looks like."""

    level: str = reloadable("info", one_of("debug", "info", "warning", "error"), "The lowest level logged.")
    format: str = reloadable(
        "text", one_of("text", "json"), "text: one line for people; json: one object a line."
    )


@dataclass(frozen=True)
class Settings:
    """Every setting of the server. `Settings(port=0, data=tmp_path)` is a whole configuration."""

    data: Path = setting(
        Path("data"), ANY, "The folder of the embedded stores and the index; created when missing."
    )
    host: str = setting("127.0.0.1", NOT_EMPTY, "The address to listen on.")
    port: int = setting(8080, between(0, 65_535), "The port to listen on; 0 takes a free one.")
    allowed_origins: tuple[str, ...] = reloadable(
        [],
        each(
            lambda origin: re.fullmatch(r"https?://[^/\s]+|null", origin) is not None,
            "a list of origins, as https://host[:port]",
        ),
        "Other origins whose pages may open sockets, as https://host[:port].",
    )
    allowed_hosts: tuple[str, ...] = reloadable(
        [],
        each(
            lambda name: (
                re.fullmatch(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:]+", name) is not None
            ),
            "a list of names, as semantik.example.org or .example.org, without ports",
        ),
        "Names that the server answers to, besides loopback names and the address that it listens on; * is any.",
    )
    trusted_proxies: tuple[str, ...] = reloadable(
        [],
        networks,
        "Addresses or networks of proxies whose X-Forwarded-For, -Proto and X-Request-Id are believed.",
    )
    label: str = setting(
        "",
        empty_or(vol.Match(LABEL), "1 to 63 letters, digits, dots, hyphens or underscores"),
        "A name of this server among several on one MongoDB, which a source can ask for; several may share one.",
    )
    peer_url: str = setting(
        "",
        empty_or(vol.Match(r"https?://[^/?#@\s]+\Z"), "an address as https://host[:port], without a path"),
        "Where other servers on this MongoDB reach this one, to ask for files that it alone sees; empty: nowhere.",
    )
    metrics: str = reloadable(
        "open", one_of("open", "admin"), "Who may read /metrics (counts only): anybody, or administrators."
    )
    max_body_bytes: int = reloadable(_MIB, at_least(1024), "A larger request body is refused.")
    mongo_url: str = setting(
        "",
        empty_or(vol.Match(r"mongodb(\+srv)?://"), "a mongodb:// URL"),
        "A MongoDB of your own (5 or newer); empty: the embedded one.",
    )
    mongo_database: str = setting(
        "semantik",
        vol.Match(
            r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z",
            msg="a name of 1 to 63 letters, digits, hyphens, underscores",
        ),
        "The database's name.",
    )
    redis_url: str = setting(
        "",
        empty_or(vol.Match(r"(rediss?(\+sentinel)?|unix)://"), "a redis:// URL"),
        "A Redis of your own (6.2 or newer); empty: the embedded one.",
    )
    connections: ConnectionSettings = field(default_factory=ConnectionSettings)
    rate_limits: RateLimitSettings = field(default_factory=RateLimitSettings)
    documents: DocumentSettings = field(default_factory=DocumentSettings)
    connectors: ConnectorSettings = field(default_factory=ConnectorSettings)
    uploads: UploadSettings = field(default_factory=UploadSettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    pool: PoolSettings = field(default_factory=PoolSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    milvus: MilvusSettings = field(default_factory=MilvusSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    progress: ProgressSettings = field(default_factory=ProgressSettings)
    sockets: SocketSettings = field(default_factory=SocketSettings)
    operations: OperationSettings = field(default_factory=OperationSettings)
    reindex: ReindexSettings = field(default_factory=ReindexSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    scan: ScanSettings = field(default_factory=ScanSettings)
    auth: AuthSettings = field(default_factory=AuthSettings)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    mcp: McpSettings = field(default_factory=McpSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    log: LogSettings = field(default_factory=LogSettings)
    # No setting: the file that the settings were read from.
    config_file: Path | None = field(default=None, compare=False)

    @property
    def private_paths(self) -> tuple[Path, ...]:
        """The data folder and the configuration file: whatever the roots are, no document is read from them."""
        own = (self.data, self.config_file) if self.config_file is not None else (self.data,)
        return tuple(path.resolve() for path in own)
