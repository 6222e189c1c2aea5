"""`make wheels`: which packages of the product have no wheel for a platform, as the table of docs/operations.md.

Asks the package index, so it is no test. Exit status 0, whatever is missing: the page says what to do about it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion

# Of pip, its search for files alone: it asks for each package once, and downloads none.
from pip._internal.commands.index import IndexCommand
from pip._internal.index.collector import LinkCollector, parse_links

from semantik.commands.components import installed

_GLIBC = (17, 24, 26, 27, 28, 31, 34, 35)  # wheels for an older one run with a newer one
_MACHINES, _VERSIONS = ("aarch64", "x86_64"), ("3.12", "3.13", "3.14")


def main(arguments: Sequence[str]) -> int:
    """Print the table; arguments are the machines to ask for."""
    targets = [(machine, version) for machine in arguments or _MACHINES for version in _VERSIONS]
    pins = sorted(
        ((one.name, one.version.partition("+")[0]) for one in installed() if not one.part_of),
        key=lambda pin: pin[0].lower(),
    )
    say(f"| package | {' | '.join(' '.join(target) for target in targets)} | source |")
    say(f"| --- |{' --- |' * (len(targets) + 1)}")
    files = _Files()
    for name, version in pins:
        names = files.of(name, version)
        wheels = {tag for file in names if file.endswith(".whl") for tag in parse_wheel_filename(file)[3]}
        if not names:
            say(f"| {name} {version} |{' unknown to the index |' * (len(targets) + 1)}")
            continue
        has = [bool(wheels & _tags(*target)) for target in targets]
        if not all(has):
            source = "yes" if any(not file.endswith(".whl") for file in names) else "no"
            say(f"| {name} {version} | {' | '.join('wheel' if it else 'none' for it in has)} | {source} |")
    say(f"\n{len(pins)} packages asked for; those that are not listed have a wheel everywhere.")
    return 0


@cache
def _tags(machine: str, version: str) -> frozenset[Tag]:
    """What a Python of this version takes on this machine."""
    python = tuple(map(int, version.split(".")))
    platforms = [f"manylinux_2_{glibc}_{machine}" for glibc in _GLIBC]
    platforms += [f"manylinux{old}_{machine}" for old in ("2014", "2010", "1")] + [f"linux_{machine}"]
    name = "cp" + version.replace(".", "")
    return frozenset(cpython_tags(python, [name], platforms)) | frozenset(
        compatible_tags(python, name, platforms)
    )


class _Files:
    """The files of packages, on the index that pip is configured for."""

    def __init__(self) -> None:
        command: Any = IndexCommand("index", "")
        options, _ = command.parse_args([])
        session = command._build_session(options)
        self._collector = LinkCollector.create(session, options=options)

    def of(self, name: str, version: str) -> list[str]:
        """The names of the files of a version, whatever they are for."""
        sources = self._collector.collect_sources(name, lambda _: iter(()))
        found: list[str] = []
        for source in (*sources.find_links, *sources.index_urls):
            if source is not None and source.link is not None:
                page = self._collector.fetch_response(source.link)
                found += [link.filename for link in parse_links(page)] if page is not None else []
        return [file for file in found if _version(file) == version]


def _version(file: str) -> str:
    """The version that the name of a file says; empty where it is neither a wheel nor a source archive."""
    try:
        if file.endswith(".whl"):
            return parse_wheel_filename(file)[1].public
        return parse_sdist_filename(file)[1].public if file.endswith((".tar.gz", ".zip")) else ""
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return ""  # such names are of old versions


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
