"""`make wheels`: which packages of the product have no wheel for a platform, as the table of docs/operations.md.

Asks the package index, so it is no test. Exit status 0, whatever is missing: the page says what to do about it.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from pip._internal.cli.main import main as pip  # hundreds of questions: a process for each would take minutes

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
    for name, version in pins:
        has = [version in _versions(name, "--only-binary=:all:", *_options(*target)) for target in targets]
        if not all(has):
            source = "yes" if version in _versions(name, "--no-binary=:all:") else "no"
            say(f"| {name} {version} | {' | '.join('wheel' if it else 'none' for it in has)} | {source} |")
    say(f"\n{len(pins)} packages asked for; those that are not listed have a wheel everywhere.")
    return 0


def _options(machine: str, version: str) -> list[str]:
    platforms = [f"--platform=manylinux_2_{glibc}_{machine}" for glibc in _GLIBC]
    older = [f"--platform=manylinux2014_{machine}", f"--platform=linux_{machine}"]
    return [*platforms, *older, f"--python-version={version}", "--implementation=cp"]


def _versions(name: str, *options: str) -> list[str]:
    """The versions of a package that pip would take with these options."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = pip(["--disable-pip-version-check", "index", "versions", "--pre", *options, name])
    if status == 0:
        listed = re.search(r"Available versions: (.*)", out.getvalue())
        assert listed is not None, out.getvalue()
        return listed[1].split(", ")
    if "No matching distribution" not in out.getvalue() + err.getvalue():
        raise SystemExit(out.getvalue() + err.getvalue())
    return []


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
