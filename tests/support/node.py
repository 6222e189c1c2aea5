"""What tests of the JavaScript client need."""

from __future__ import annotations

import shutil

import pytest
from support.server import ROOT

JAVASCRIPT = ROOT / "clients" / "javascript"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="node is not installed: bin/setup --tests"
)
needs_node_packages = pytest.mark.skipif(
    shutil.which("node") is None or not (JAVASCRIPT / "node_modules").exists(),
    reason="node or the packages of clients/javascript are not installed: bin/setup --tests",
)
