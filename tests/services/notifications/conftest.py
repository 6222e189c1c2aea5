"""A server for all tests of a module that leave it as they found it, quick to look and to send again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.alerts import QUICK
from support.server import Serving, complaints, serve


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    flags = ("--webhooks-attempts=4", "--webhooks-timeout-s=1", "--webhooks-per-user=5")
    serving = serve(tmp_path_factory.mktemp("quick") / "data", *QUICK, *flags)
    yield serving
    assert serving.stop() == 0
    assert not complaints(serving, crowded=True)
