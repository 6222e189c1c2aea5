"""The model is loaded without scikit-learn and SciPy; both can still be used, by sentence-transformers too."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.patience import patience
from support.server import ROOT

_CODE = """
import sys
from pipeline.compute.messages import ModelSpec
from pipeline.embedding import model

model.load(ModelSpec("all-MiniLM-L6-v2", "auto"))
assert not {"sklearn", "scipy"} & {name.partition(".")[0] for name in sys.modules}

import torch
from sentence_transformers.util import manhattan_sim

texts = torch.tensor([[1.0, 0.0], [0.0, 2.0]]).to_sparse()
assert manhattan_sim(texts, texts).tolist() == [[0.0, -3.0], [-3.0, 0.0]]

import scipy.sparse
import sklearn.metrics

assert sklearn.metrics.__file__ and scipy.sparse.__file__
"""


@pytest.mark.model
def test_scikit_learn_and_scipy_are_imported_at_their_first_use() -> None:
    subprocess.run([sys.executable, "-c", _CODE], cwd=ROOT, check=True, timeout=patience())
