"""Imported once by the fork server, before any worker is forked: what is loaded here is shared by all workers.

No thread may live when it ends, because a forked child has only the thread that forked.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal

# Ctrl-C goes to every process of the terminal; the server alone decides when its workers end.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# Read by the libraries when they are imported: a worker computes on one thread.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

# What is loaded here stays: to look for garbage in it takes a quarter of the time of loading, and would make workers
# copy the pages that they share.
gc.disable()

import tqdm  # type: ignore[import-untyped]  # noqa: E402

from pipeline.compute import messages  # noqa: E402
from pipeline.embedding import model, query_model  # noqa: E402
from pipeline.workers import worker  # noqa: E402
from semantik.core.errors import Invalid  # noqa: E402

tqdm.tqdm.monitor_interval = 0  # it would start a thread, though no progress bar is shown

if worker.PRELOAD in os.environ:
    _name, _precision = os.environ[worker.PRELOAD].rsplit(":", 1)
    # A model that cannot be loaded is no reason to have no workers: the task that asks for it gets the sentence.
    with contextlib.suppress(Invalid):
        _spec = messages.ModelSpec(_name, _precision)
        model.load(_spec).embed(["warm"])
        query_model.load(_spec)(["warm"])

gc.freeze()
gc.enable()
