"""One source that is fetched as a scan does it, without a server: real connectors, real files, a stand-in operation."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from support.patience import patience

from pipeline.connectors.registry import ConnectorRegistry
from pipeline.context.context import OperationContext
from pipeline.scanning.fetching import fetched_listings
from semantik.auth.sealing import SOURCES, Sealer
from semantik.config.connector_settings import ConnectorSettings
from semantik.config.settings import Settings
from semantik.core.kept_files import kept_file, kept_folder
from semantik.core.models import Source, now

_SOURCE_ID = "the-source"


class FetchedSource:
    """A source with these options, whose files are kept in `data`; `limits` are settings of connectors."""

    def __init__(self, data: Path, kind: str, options: dict[str, Any], **limits: Any) -> None:
        self._arguments = [str(data), kind, options, limits]
        given = {"private_networks": ("127.0.0.0/8",), "delay_s": 0.0, "timeout_s": patience(5), **limits}
        self.settings = Settings(data=data, connectors=ConnectorSettings(**given))
        self.registry = ConnectorRegistry(lambda: self.settings, Sealer(data, "", SOURCES))
        data.mkdir(exist_ok=True)
        address, checked = self.registry.check(kind, options)
        shown, secret = self.registry.store(kind, checked)
        self.source = Source(
            _SOURCE_ID, "collection", address, now(), kind=kind, options=shown, secret=secret
        )
        self.warnings: list[str] = []
        self.fetched = 0
        self.origins: dict[str, dict[str, str]] = {}

    @property
    def folder(self) -> Path:
        return kept_folder(self.settings.data, _SOURCE_ID)

    async def scan(self) -> dict[str, str]:
        """Fetch what is new or changed; returns all that is kept, as texts by name. `fetched` counts the items."""
        self.warnings, self.fetched = [], 0
        context = SimpleNamespace(
            deps=SimpleNamespace(settings=self.settings, connectors=self.registry),
            reporter=SimpleNamespace(publish_latest=self._note),
            warn=self.warnings.append,
        )
        found = {}
        for listing in await fetched_listings(cast(OperationContext, context), self.source):
            for name, size, modified_ns in listing.files:
                path = listing.path(name)
                content = kept_file(self.folder, path)
                status = content.stat()
                assert (status.st_size, status.st_mtime_ns) == (size, modified_ns)
                relative = path.removeprefix(f"{self.source.path}/")
                found[relative] = content.read_text(errors="replace")
                self.origins[relative] = dict(listing.origins[name])
        assert sum(each.is_file() for each in (self.folder / "files").rglob("*")) == len(found)
        return found

    def scan_that_dies(self, failpoint: str) -> None:
        """Scan in another process, which is killed at the failpoint."""
        environment = {**os.environ, "SEMANTIK_FAILPOINT": failpoint, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "support.fetched_source", json.dumps(self._arguments)]
        ended = subprocess.run(command, env=environment, timeout=patience(), capture_output=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()

    def _note(self, kind: str, **fields: Any) -> None:
        assert kind == "scanning_documents"
        self.fetched = fields["fetched"]


def _main() -> None:
    data, kind, options, limits = json.loads(sys.argv[1])
    asyncio.run(FetchedSource(Path(data), kind, options, **limits).scan())


if __name__ == "__main__":
    _main()
