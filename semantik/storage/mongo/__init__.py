"""MongoDB, the only source of truth: the one package that imports motor and pymongo. Runs on the loop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference
from pymongo.errors import PyMongoError

from semantik.core.errors import ConfigError, Unavailable
from semantik.storage.mongo.alerts import AlertTable
from semantik.storage.mongo.api_keys import ApiKeyTable
from semantik.storage.mongo.audit import AuditTable
from semantik.storage.mongo.by_owner import RowsByOwner
from semantik.storage.mongo.chunks import ChunkTable
from semantik.storage.mongo.collections import CollectionTable
from semantik.storage.mongo.deliveries import DeliveryTable
from semantik.storage.mongo.documents import DocumentTable
from semantik.storage.mongo.driver_errors import translate_mongo_errors
from semantik.storage.mongo.failures import FailureTable
from semantik.storage.mongo.folder_digests import FolderDigestTable
from semantik.storage.mongo.groups import GroupTable
from semantik.storage.mongo.identities import IdentityTable
from semantik.storage.mongo.indexes import create_indexes
from semantik.storage.mongo.instances import InstanceTable
from semantik.storage.mongo.known_files import KnownFiles
from semantik.storage.mongo.migration import migrate
from semantik.storage.mongo.operations import OperationTable
from semantik.storage.mongo.recognised_pages import RecognisedPageTable
from semantik.storage.mongo.saved_searches import SavedSearchTable
from semantik.storage.mongo.search_reads import SearchReads
from semantik.storage.mongo.second_factors import SecondFactorTable
from semantik.storage.mongo.sessions import SessionTable
from semantik.storage.mongo.shares import ShareTable
from semantik.storage.mongo.signing_keys import SigningKeyTable
from semantik.storage.mongo.table import Record, Table
from semantik.storage.mongo.uploads import UploadTable
from semantik.storage.mongo.usage_stats import UsageReads
from semantik.storage.mongo.users import UserTable
from semantik.storage.mongo.webhooks import WebhookTable

__all__ = ["Store"]

# What an administrator's URL says goes before these.
_DEFAULTS: Mapping[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 10_000,  # also for the driver's regular look at the server, which a busy one answers late
    "socketTimeoutMS": 15_000,
    "appname": "semantik",
}
_MAJORITY: Mapping[str, Any] = {"w": "majority", "wtimeoutMS": 10_000}
_OPTION = re.compile(r"[?&](\w+)=")
_PING_S = 3.0
_CLOSE_S = 1.0


class Store:
    """The tables. `async with Store(url, database) as store` creates the indexes and migrates the rows first.

    `reads_url`, if not empty, is a second MongoDB process on the same data, for the reads of searches. Raises
    ConfigError when a URL is not valid or a newer version has written the database, Unavailable.
    """

    def __init__(self, url: str, database: str, reads_url: str = "") -> None:
        # The embedded store is one process, which has nobody to wait for.
        urls, defaults = ([url, reads_url], _DEFAULTS) if reads_url else ([url], {**_DEFAULTS, **_MAJORITY})
        self._clients = [_client(each, defaults) for each in urls]
        options = CodecOptions[Record](tz_aware=True)
        base, reads = (self._clients[at].get_database(database, codec_options=options) for at in (0, -1))
        self._meta = Table(base["meta"])
        self.users = UserTable(Table(base["users"], reads["users"]))
        self.sessions = SessionTable(Table(base["sessions"], reads["sessions"]))
        self.identities = IdentityTable(Table(base["identities"]))
        self.api_keys = ApiKeyTable(Table(base["api_keys"]))
        self.second_factors = SecondFactorTable(Table(base["second_factors"]))
        self.signing_keys = SigningKeyTable(Table(base["signing_keys"]), self._meta)
        self.audit = AuditTable(Table(base["audit"]))
        self.groups = GroupTable(Table(base["groups"], reads["groups"]))
        self.shares = ShareTable(Table(base["collections"]), Table(base["shares"], reads["shares"]))
        self.collections = CollectionTable(
            Table(base["collections"], reads["collections"]), Table(base["sources"])
        )
        documents = Table(base["documents"], reads["documents"])
        self.documents = DocumentTable(documents)
        self.known_files = KnownFiles(documents)
        self.chunks = ChunkTable(Table(base["chunks"], reads["chunks"]))
        self.search_reads = SearchReads(Table(base["chunks"], reads["chunks"]))
        self.operations = OperationTable(Table(base["operations"]))
        self.failures = FailureTable(Table(base["failures"]))
        self.recognised_pages = RecognisedPageTable(Table(base["recognised_pages"]))
        self.uploads = UploadTable(Table(base["uploads"]), Table(base["upload_blocks"]))
        self.saved_searches = SavedSearchTable(Table(base["saved_searches"]), Table(base["alert_cursors"]))
        self.alerts = AlertTable(Table(base["alerts"]), Table(base["alert_states"]))
        self.webhooks = WebhookTable(Table(base["webhooks"]))
        self.deliveries = DeliveryTable(Table(base["deliveries"]))
        self.folder_digests = FolderDigestTable(Table(base["listings"]))
        self._tables = {
            name: Table(base[name]) for name in ("collections", "sources", "documents", "operations")
        }
        self.by_owner = RowsByOwner({name: Table(base[name]) for name in RowsByOwner.kinds})
        self.instances = InstanceTable(Table(base["instances"]))
        self.usage_stats = UsageReads(
            Table(base["documents"]), Table(base["chunks"]), Table(base["operations"])
        )

    async def __aenter__(self) -> Self:
        accounts = (
            self.users,
            self.identities,
            self.sessions,
            self.api_keys,
            self.groups,
            self.shares,
            self.audit,
        )
        notifications = (self.saved_searches, self.alerts, self.webhooks, self.deliveries)
        content = (self.collections, self.documents, self.chunks)
        others = (
            self.operations,
            self.failures,
            self.folder_digests,
            self.recognised_pages,
            self.uploads,
        )
        await create_indexes(self._meta, (*accounts, *notifications, *content, *others))
        await migrate(self._meta, self._tables)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """For a store that was not entered, too."""
        # close() ends the sessions in MongoDB, and blocks until that has answered.
        closing = [asyncio.ensure_future(asyncio.to_thread(each.close)) for each in self._clients]
        await asyncio.wait(closing, timeout=_CLOSE_S)

    async def ping(self) -> bool:
        """Whether MongoDB answers now."""
        try:
            with translate_mongo_errors():
                pings = (client.admin.command("ping") for client in self._clients)
                async with asyncio.timeout(_PING_S):
                    await asyncio.gather(*pings)
        except (Unavailable, TimeoutError):
            return False
        return True

    async def is_empty(self) -> bool:
        """Whether no server has ever used this database."""
        return await self._meta.find_one({}) is None

    async def setup_code(self, new: str) -> str:
        """The code for registering the first user, shared by all servers on this database; `new` if there is none."""
        await self._meta.upsert({"_id": "setup_code"}, {"$setOnInsert": {"value": new}})
        row = await self._meta.find_one({"_id": "setup_code"})
        return new if row is None else str(row["value"])

    async def roots(self) -> tuple[str, ...]:
        """The folders that an administrator has chosen in the application; empty when none were."""
        row = await self._meta.find_one({"_id": "roots"})
        return () if row is None else tuple(row["paths"])

    async def set_roots(self, paths: Sequence[str]) -> None:
        await self._meta.upsert({"_id": "roots"}, {"$set": {"paths": list(paths)}})

    async def remove_setup_code(self) -> None:
        await self._meta.delete_many({"_id": "setup_code"})


def _client(url: str, defaults: Mapping[str, Any]) -> AsyncIOMotorClient[Record]:
    """By default a write is done when most servers of a replica set have it.

    Reads come from the primary, as it has the rows (read concern "local"): what a primary that is replaced had not yet
    passed on may be read for a moment; each write that depends on it is fenced, and fails then.
    """
    given = {name.lower() for name in _OPTION.findall(url)}
    try:
        client: AsyncIOMotorClient[Record] = AsyncIOMotorClient(
            url, **{name: value for name, value in defaults.items() if name.lower() not in given}
        )
    except (PyMongoError, ValueError) as error:
        raise ConfigError(f"mongo_url is not an address of a MongoDB: {str(error).rstrip('.')}.") from error
    if client.read_preference != ReadPreference.PRIMARY:
        raise ConfigError("mongo_url: readPreference must be primary: others may lack what was just written.")
    if not client.write_concern.acknowledged:
        raise ConfigError("mongo_url: w must not be 0: nothing would be known to be written.")
    return client
