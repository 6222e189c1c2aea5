"""Writes the generated parts of the clients, or with `--check` says which are not what it would write.

Exit status 0: done, or nothing to do; 1: `--check` found a difference.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from clients.description import ROOT, Description
from clients.javascript import javascript_files
from clients.python_modules import PythonModules
from clients.reference import reference

_PYTHON = ROOT / "semantik" / "client"
_PACKAGES = ("calls", "sync_calls", "types")


def generated() -> dict[Path, str]:
    """The text of every generated file by its path."""
    description = Description()
    modules = PythonModules(description)
    page = reference(description, modules)
    formatted = _formatted({**modules.files(), "page.md": page})  # ruff formats the code of pages, too
    files = {ROOT / "docs" / "reference" / "python-client.md": formatted.pop("page.md")}
    files |= {_PYTHON / name: text for name, text in formatted.items()}
    for name, text in javascript_files(description).items():
        files[ROOT / "clients" / "javascript" / name] = text
    return files


def differences() -> dict[Path, str | None]:
    """What has to be written, by its path; None: to be removed."""
    wanted = generated()
    found: dict[Path, str | None] = {
        path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text
    }
    old = (path for package in _PACKAGES for path in (_PYTHON / package).glob("*.py"))
    return found | {path: None for path in old if path not in wanted}


def _formatted(files: dict[str, str]) -> dict[str, str]:
    """The same Python, as the project's formatter and import order want it."""
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    config = ["--config", str(ROOT / "pyproject.toml"), "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for command in (["check", "--select", "I,RUF022,UP037", "--fix"], ["format"]):
            subprocess.run([*ruff, *command, *config, "--no-cache", folder], check=True)
        return {name: Path(folder, name).read_text() for name in files}


def main(argv: list[str]) -> int:
    changed = differences()
    for path, text in sorted(changed.items()):
        print(path.relative_to(ROOT))
        if "--check" in argv:
            continue
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if changed and "--check" in argv else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
