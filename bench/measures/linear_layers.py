"""The linear layers of the model in float32 with AVX2, beside the peak of one core: fused multiply-add alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.results import Result
from bench.server_process import ROOT

_SOURCE = Path(__file__).resolve().parent.parent / "fma_peak.c"


def measure() -> Iterator[Result]:
    """Needs gcc, and a processor with AVX2; a better one is held to that."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "fma_peak"
        subprocess.run(
            ["gcc", "-O3", "-funroll-loops", "-mavx2", "-mfma", str(_SOURCE), "-o", str(program)], check=True
        )
        peak = max(float(_output(str(program)).split()[0]) for _ in range(3))
    env = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}
    found = json.loads(_output(sys.executable, "-m", "bench.linear_layers", env=env).splitlines()[-1])
    yield Result(
        "linear layers of the model, float32, AVX2, one thread",
        found["gflops"],
        "GFLOP/s",
        peak,
        "fused multiply-add alone",
        minimum=0.85,
        note=f"{found['layers']} layers, 1,024 tokens, processor time",
    )


def _output(*command: str, env: dict[str, str] | None = None) -> str:
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, cwd=ROOT, env=env
    ).stdout
