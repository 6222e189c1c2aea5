"""Back-ups of a MongoDB of one's own, by MongoDB's tools: mongodump and mongorestore, where they are installed.

Runs in a command of its own, where it may block; must not know the server.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from semantik.core.errors import ConfigError, Conflict, NotFound, Unavailable

_SHOWN_LINES = 3  # of what a tool says when it fails


def dump(url: str, database: str, target: Path, force: bool) -> int:
    """Write the database to the file `target`, completely or not at all; returns the file's bytes.

    It is not of one moment. Raises ConfigError where mongodump is not installed, Conflict when the file exists already
    (unless `force`), Unavailable when mongodump fails, OSError.
    """
    tool = find_tool("mongodump", url, database, target)
    if target.exists() and not force:
        raise Conflict(f"{target} exists already; choose another name, or overwrite it with --force.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".semantik-backup-") as folder:
        archive = Path(folder) / "archive"
        archive.touch(0o600)
        _run(tool, url, Path(folder), f"--db={database}", "--gzip", f"--archive={archive}")
        with archive.open("rb") as written:
            os.fsync(written.fileno())
        size = archive.stat().st_size
        archive.replace(target)
    return size


def load(url: str, database: str, source: Path, replace: bool) -> None:
    """Restore a file of `dump`; `replace` drops each table before it is restored.

    The caller has seen that no server runs, and that there is no such database unless `replace`. Raises as `dump`, and
    NotFound without the file.
    """
    tool = find_tool("mongorestore", url, database, source)
    if not source.is_file():
        raise NotFound(f"There is no such file: {source}.")
    dropping = ("--drop",) if replace else ()
    with tempfile.TemporaryDirectory(prefix="semantik-backup-") as folder:
        options = ("--gzip", f"--archive={source}", f"--nsInclude={database}.*", "--stopOnError", *dropping)
        _run(tool, url, Path(folder), *options)


def find_tool(name: str, url: str, database: str, file: Path) -> str:
    """The path of mongodump or mongorestore. Raises ConfigError where it is not installed."""
    found = shutil.which(name)
    if found is None:
        where = urlsplit(url).netloc.rpartition("@")[2]
        raise ConfigError(
            f"mongo_url names a MongoDB of your own, and {name} is not installed on this machine. Install MongoDB's "
            f"Database Tools, or run where they are: {name} --host={where} --gzip --archive={file} "
            + (f"--db={database}." if name == "mongodump" else f"'--nsInclude={database}.*'.")
        )
    return found


def _run(tool: str, url: str, folder: Path, *options: str) -> None:
    """The address, which may contain a password, is in a file: other users can read command lines."""
    config = folder / "config.yaml"
    config.touch(0o600)
    config.write_text(f"uri: {json.dumps(_without_database(url))}\n")
    done = subprocess.run(
        [tool, f"--config={config}", *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        lines = done.stderr.replace(url, "mongo_url").strip().splitlines()[-_SHOWN_LINES:]
        said = re.sub(r"//[^/@\s]*@", "//", " ".join(lines))
        raise Unavailable(
            f"{Path(tool).name} failed with status {done.returncode}: {said or 'it says nothing'}."
        )


def _without_database(url: str) -> str:
    """The tools refuse a database in the address beside --db; the sign-in still has to use it."""
    parts = urlsplit(url)
    database, query = parts.path.strip("/"), parts.query
    if database and "authsource=" not in query.lower():
        query = "&".join(filter(None, (query, f"authSource={database}")))
    return parts._replace(path="/", query=query).geturl()
