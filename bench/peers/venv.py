"""The virtual environment of the alternatives: created below build/bench on demand, with the same torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.corpus import ROOT, WORK_FOLDER

NAMES = ("chromadb", "txtai", "llama-index")
_HERE = Path(__file__).resolve().parent
_REQUIREMENTS = _HERE / "requirements.txt"


def python() -> Path:
    """The interpreter, with everything of requirements.txt installed."""
    home = WORK_FOLDER / "peers-venv"
    marker = home / "made"
    constraints = ROOT / "conf" / "constraints.txt"
    wanted = _REQUIREMENTS.read_text() + constraints.read_text()
    if not marker.exists() or marker.read_text() != wanted:
        print("creating the virtual environment of the alternatives; it takes some minutes", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        install = [home / "bin" / "pip", "--disable-pip-version-check", "install", "-q"]
        files = ["-c", constraints, "-r", _REQUIREMENTS]
        subprocess.run([*install, *files], check=True)
        marker.write_text(wanted)
    return home / "bin" / "python"


def run(name: str, precision: str, texts: Path) -> dict[str, Any]:
    """The output of run.py for one alternative: how it ingests texts."""
    return _output("run.py", name, precision, str(texts))


def retrieve(name: str, folder: Path) -> dict[str, Any]:
    """The output of retrieve.py for one alternative: what it finds of the judged set in `folder`."""
    return _output("retrieve.py", name, str(folder))


def _output(program: str, name: str, *arguments: str) -> dict[str, Any]:
    """The last line that a program prints. Raises RuntimeError if it fails."""
    offline = {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "TOKENIZERS_PARALLELISM": "true"}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python()), str(_HERE / program), name, *arguments, folder]
        process = subprocess.run(
            command, env={**os.environ, **offline}, capture_output=True, text=True, check=False
        )
    if process.returncode:
        raise RuntimeError(f"{name} failed: {process.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found
