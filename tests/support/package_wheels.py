"""`make wheels`: which packages of the product have no wheel for a platform, as the table of docs/operations.md.

Asks the package index, so it is no test. Exit status 0, whatever is missing: the page says what to do about it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from semantik.commands.components import installed

_GLIBC = (17, 24, 26, 27, 28, 31, 34, 35)  # wheels for an older one run with a newer one
_TARGETS = [(machine, version) for machine in ("x86_64", "aarch64") for version in ("3.12", "3.13", "3.14")]
_MISSING = re.compile(r"No matching distribution found for ([\w.-]+)==")
_TIMEOUT_S = 900


def main() -> int:
    """Print the table."""
    pins = {
        one.name: f"{one.name}=={one.version.partition('+')[0]}" for one in installed() if not one.part_of
    }
    missing = {target: _missing(list(pins.values()), *target) for target in _TARGETS}
    without = sorted(set().union(*missing.values()), key=str.lower)
    names = {re.sub(r"[-_.]+", "-", name).lower(): pin for name, pin in pins.items()}
    columns = [f"{machine}, {version}" for machine, version in _TARGETS]
    _say(f"{len(pins)} packages; all but these have a wheel everywhere.\n")
    _say(f"| package | {' | '.join(columns)} | source |")
    _say(f"| --- |{' --- |' * (len(columns) + 1)}")
    for name in without:
        cells = ["**none**" if name in missing[target] else "wheel" for target in _TARGETS]
        _say(f"| {names[name]} | {' | '.join(cells)} | {'yes' if _has_source(names[name]) else 'no'} |")
    return 0


def _missing(pins: Sequence[str], machine: str, version: str) -> set[str]:
    """The packages without a wheel: pip names one at a time, and is asked again without it."""
    platforms = [f"--platform=manylinux_2_{glibc}_{machine}" for glibc in _GLIBC]
    platforms += [f"--platform=manylinux2014_{machine}", f"--platform=linux_{machine}"]
    options = ["--only-binary=:all:", f"--python-version={version}", "--implementation=cp", *platforms]
    without: set[str] = set()
    while True:
        left = [pin for pin in pins if _plain(pin.partition("==")[0]) not in without]
        answer = _pip([*options, "--no-deps", "--target=/nonexistent", "--report=-", *left])
        if answer.returncode == 0:
            found = {_plain(each["metadata"]["name"]) for each in json.loads(answer.stdout)["install"]}
            assert found == {_plain(pin.partition("==")[0]) for pin in left}
            return without
        said = _MISSING.search(answer.stderr)
        if said is None:
            raise SystemExit(answer.stderr)
        without.add(_plain(said[1]))


def _has_source(pin: str) -> bool:
    name = pin.partition("==")[0]
    return _pip(["--no-deps", "--ignore-installed", f"--no-binary={name}", pin]).returncode == 0


def _pip(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--dry-run"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
