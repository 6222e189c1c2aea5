"""Tests of one group are run by one worker of pytest-xdist, which takes the group from the test's id."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("a group")
def test_the_group_is_in_the_id(request: pytest.FixtureRequest) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        pytest.skip("there is one worker")
    assert request.node.nodeid.endswith("@a group")
