"""The device that models compute on: the processor's cores, or GPUs. A worker has one, and the pool one worker per GPU.

`find` runs at the start of the server, the rest in the worker processes. torch is imported in another process only:
once a process has used a GPU, none that is forked from it can.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from semantik.core.child_environment import child_environment
from semantik.core.errors import ConfigError

CPU = "cpu"
_DRIVER_FILES = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))  # NVIDIA, the same in WSL, AMD
_ASK_TORCH = """
import json, torch
print(json.dumps([torch.cuda.device_count() if torch.cuda.is_available() else 0, torch.__version__]))
"""
_ASK_TIMEOUT_S = 120.0
_current = CPU


@dataclass(frozen=True)
class Gpus:
    """How many GPUs torch can use, and if none, why."""

    count: int
    problem: str = ""


def use(device: str) -> None:
    """Set the device of this process, before it loads a model."""
    global _current
    _current = device


def current() -> str:
    """The device of this process, as torch names it."""
    return _current


def find(setting: str) -> tuple[str, ...]:
    """The devices that `embedding.device` stands for: ("cpu",), or one or more GPUs.

    Takes seconds where there may be a GPU, as another process asks torch. Raises ConfigError as `choose` does.
    """
    if setting == CPU or (setting == "auto" and not any(each.exists() for each in _DRIVER_FILES)):
        return (CPU,)
    return choose(setting, ask_torch())


def choose(setting: str, gpus: Gpus) -> tuple[str, ...]:
    """The devices for auto, cuda (all GPUs) or cuda:n. Raises ConfigError when it names a GPU that is not there."""
    if setting == "auto" and not gpus.count:
        return (CPU,)
    if not gpus.count:
        raise ConfigError(
            f"embedding.device is {setting}, but torch can use no GPU on this machine: {gpus.problem}."
        )
    found = tuple(f"cuda:{number}" for number in range(gpus.count))
    if setting in ("auto", "cuda"):
        return found
    if setting not in found:
        raise ConfigError(
            f"embedding.device is {setting}, but torch finds only {', '.join(found)} on this machine."
        )
    return (setting,)


@functools.cache
def ask_torch() -> Gpus:
    """What torch finds on this machine."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _ASK_TORCH],
            capture_output=True,
            check=True,
            timeout=_ASK_TIMEOUT_S,
            env=child_environment(os.environ),
        )
        count, version = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Gpus(0, f"torch could not be asked ({error})")
    return Gpus(count, "" if count else f"torch {version} finds no CUDA device")
