"""The device that models compute on: the processor's cores, or GPUs. Runs in the worker processes and at the start.

torch is imported late. A worker has one device: with several GPUs, the pool has a worker for each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from semantik.core.errors import ConfigError

CPU = "cpu"
CHOICES = re.compile(r"auto|cpu|cuda(:\d{1,2})?")


@dataclass(frozen=True)
class Cuda:
    """What torch says of the GPUs: their number, and why there are none."""

    count: int
    problem: str = ""


def choose(setting: str, cuda: Cuda) -> tuple[str, ...]:
    """The devices that `embedding.device` stands for, one for each worker that embeds: ("cpu",), or GPUs.

    Raises ConfigError when it names a GPU that is not there.
    """
    if setting == "cpu" or (setting == "auto" and not cuda.count):
        return (CPU,)
    if not cuda.count:
        raise ConfigError(f"embedding.device is {setting}, but there is no GPU that torch can use: {cuda.problem}.")
    gpus = tuple(f"cuda:{number}" for number in range(cuda.count))
    if setting in ("auto", "cuda"):
        return gpus
    if setting not in gpus:
        raise ConfigError(f"embedding.device is {setting}, but torch finds {', '.join(gpus)} only.")
    return (setting,)
