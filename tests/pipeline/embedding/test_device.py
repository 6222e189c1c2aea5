"""Which devices a setting stands for, and what is said when there is no such device."""

from __future__ import annotations

import pytest

from pipeline.embedding import device
from pipeline.embedding.device import Gpus
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError
from semantik.server import running

NONE = Gpus(0, "torch 2.13.0+cpu finds no CUDA device")


@pytest.mark.parametrize(
    ("setting", "gpus", "expected"),
    [
        ("auto", NONE, ("cpu",)),
        ("auto", Gpus(2), ("cuda:0", "cuda:1")),
        ("cuda", Gpus(2), ("cuda:0", "cuda:1")),
        ("cuda:1", Gpus(2), ("cuda:1",)),
    ],
)
def test_a_worker_for_each_gpu_else_the_processor(
    setting: str, gpus: Gpus, expected: tuple[str, ...]
) -> None:
    assert device.choose(setting, gpus) == expected


def test_a_gpu_that_is_not_there_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"cuda:3, but torch finds only cuda:0, cuda:1"):
        device.choose("cuda:3", Gpus(2))
    with pytest.raises(ConfigError, match=r"can use no GPU on this machine: torch 2\.13\.0\+cpu finds no"):
        device.choose("cuda", NONE)


def test_the_processor_is_chosen_without_asking_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> Gpus:
        raise AssertionError("asking torch takes seconds")

    monkeypatch.setattr(device, "ask_torch", ask)
    monkeypatch.setattr(device, "_DRIVER_FILES", ())
    assert device.find("auto") == device.find("cpu") == ("cpu",)


@pytest.mark.gen_test(timeout=60)
async def test_a_server_without_the_gpu_of_its_settings_does_not_start(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "ask_torch", lambda: NONE)
    settings = Settings(port=0, data=tmp_path, embedding=_on("cuda:0"))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"embedding\.device is cuda:0"):
        async with running(settings):
            pass


def test_torch_is_asked_in_another_process() -> None:
    found = device.ask_torch()
    assert found.count or "torch" in found.problem


def _on(name: str) -> object:
    from dataclasses import replace

    return replace(Settings().embedding, device=name)
