"""The peers' virtual environment: made below build/bench when first needed, with the torch that Semantik has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.corpus import HOME, ROOT

NAMES = ("chromadb", "txtai", "llama-index")
_HERE = Path(__file__).resolve().parent
_REQUIREMENTS = _HERE / "requirements.txt"


def python() -> Path:
    """The interpreter, with everything of requirements.txt installed."""
    home = HOME / "peers-venv"
    made = home / "made"
    constraints = ROOT / "conf" / "constraints.txt"
    wanted = _REQUIREMENTS.read_text() + constraints.read_text()
    if not made.exists() or made.read_text() != wanted:
        print("making the peers' virtual environment; it takes some minutes", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        install = [home / "bin" / "pip", "--disable-pip-version-check", "install", "-q"]
        files = ["-c", constraints, "-r", _REQUIREMENTS]
        subprocess.run([*install, *files], check=True)
        made.write_text(wanted)
    return home / "bin" / "python"


def run(name: str, precision: str, texts: Path) -> dict[str, Any]:
    """What run.py prints of one peer."""
    offline = {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False", "TOKENIZERS_PARALLELISM": "true"}
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python()), str(_HERE / "run.py"), name, precision, str(texts), folder]
        ended = subprocess.run(
            command, env={**os.environ, **offline}, capture_output=True, text=True, check=False
        )
    if ended.returncode:
        raise RuntimeError(f"{name} failed: {ended.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found
