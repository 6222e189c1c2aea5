"""The installed connectors, and the way to a source through one. Runs on the loop.

They are the entry points of the group `semantik.connectors`, each loaded when it is first used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from pipeline.connectors.options import checked, secrets_of, without_secrets
from pipeline.connectors.protocol import Connection, Connector, ConnectorError, ConnectorKind, Options
from semantik.app.network import Network
from semantik.auth.sealing import Sealer
from semantik.config.settings import Settings
from semantik.core.errors import Conflict, Forbidden, Invalid
from semantik.core.models import Source

GROUP = "semantik.connectors"


class ConnectorRegistry:
    """`current()` returns the current settings; `sealer` encrypts the secret options."""

    def __init__(self, current: Callable[[], Settings], sealer: Sealer) -> None:
        self._current = current
        self._sealer = sealer
        self._loaded: dict[str, ConnectorKind] = {}

    def kinds(self) -> dict[str, ConnectorKind]:
        """The kinds of sources that may be added, by name, in the order of connectors.kinds."""
        installed = _installed()
        return {name: self._kind(name) for name in self._current().connectors.kinds if name in installed}

    def check(self, kind: str, given: Mapping[str, object]) -> tuple[str, Options]:
        """The address and the options of a new source. Raises Invalid, and Forbidden for a kind that is not allowed."""
        allowed = self._current().connectors.kinds
        if kind not in _installed() or kind not in allowed:
            names = ", ".join(("folder", *(name for name in allowed if name in _installed())))
            raise Forbidden(f"Sources of the kind {kind!r} cannot be added here; the kinds are {names}.")
        connector = self._kind(kind)
        options = checked(connector.fields, given)
        return connector.address(options), options

    def store(self, kind: str, options: Options) -> tuple[dict[str, object], str]:
        """Options as a source holds them: those that may be shown, and the encrypted others, or ""."""
        fields = self._kind(kind).fields
        secrets = secrets_of(fields, options)
        return without_secrets(fields, options), self._sealer.seal(json.dumps(secrets)) if secrets else ""

    def options(self, source: Source) -> Options:
        """All options of a source. Raises Conflict when this server lacks the key of the secret ones."""
        secrets = json.loads(self._sealer.unseal(source.secret)) if source.secret else {}
        return checked(self._kind(source.kind).fields, {**source.options, **secrets})

    def merged(self, source: Source, given: Mapping[str, object]) -> Options:
        """The options of a source with those that are given instead.

        Raises Conflict as `options`, unless all secret ones are given.
        """
        secret = {field.name for field in self._kind(source.kind).fields if field.type == "secret"}
        return {**(source.options if secret <= given.keys() else self.options(source)), **given}

    def fingerprint(self, source: Source) -> str:
        """What changes when other items may be listed than before."""
        text = json.dumps([source.kind, source.path, dict(source.options)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def connect(self, source: Source, cursor: str, folder: Path) -> AbstractAsyncContextManager[Connector]:
        """Connect to a source for one scan. Raises ConnectorError."""
        settings = self._current()
        if source.kind not in settings.connectors.kinds:
            raise ConnectorError(
                f"Sources of the kind {source.kind!r} are not allowed any more (connectors.kinds)."
            )
        try:
            options = self.options(source)
        except Conflict as error:
            raise ConnectorError(str(error)) from error
        limits, documents = settings.connectors, settings.documents
        connection = Connection(
            options,
            cursor,
            folder,
            Network(limits.private_networks, limits.timeout_s, limits.delay_s),
            min(limits.max_source_bytes, max(documents.max_file_bytes, documents.max_container_bytes)),
            limits.max_source_bytes,
        )
        return self._kind(source.kind).connect(connection)

    def _kind(self, name: str) -> ConnectorKind:
        if name not in self._loaded:
            found = _installed().get(name)
            if found is None:
                raise Invalid(f"No connector for sources of the kind {name!r} is installed on this server.")
            self._loaded[name] = found.load()
        return self._loaded[name]


@lru_cache(maxsize=1)
def _installed() -> dict[str, EntryPoint]:
    return {each.name: each for each in entry_points(group=GROUP)}
