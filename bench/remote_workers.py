"""Compares the rate of embedding of two remote workers with that of two local ones: `python -m bench.remote_workers`.

The remote ones are two `bin/semantik-worker` with one process each, on a scheduler on this machine: what is measured is
what TLS, the scheduler and the copies of texts and vectors cost, not a network. Both take turns, and the medians are
compared. The results depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.chunks import MODEL, read_chunks
from pipeline.compute.messages import ModelSpec
from pipeline.compute.pool import ComputePool
from pipeline.workers.pool import Pool
from semantik.app.listening import listening
from semantik.config.settings import EmbeddingSettings, PoolSettings, Settings

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
_ALIKE = 0.999  # cosine of the vectors that both give
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
_START_S = 300.0


async def measure(texts: Sequence[str], rounds: int, batch_chunks: int) -> dict[str, Any]:
    """The chunks per second of both, from `rounds` rounds each with tasks of `batch_chunks`."""
    from pipeline.remote.pool import RemotePool  # here, since worker processes import this module

    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-bench-")))
        embedding = EmbeddingSettings(batch_chunks=batch_chunks)
        settings = Settings(data=home, pool=stack.enter_context(_cluster(home)), embedding=embedding)
        spec = ModelSpec(MODEL, "auto")
        async with Pool(lambda: settings) as local, RemotePool(lambda: settings, local) as remote:
            async with asyncio.timeout(_START_S):
                while remote.batch_workers != WORKERS or not remote.is_remote:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            here, there = await local.embed(spec, texts), await _embed(remote, spec, texts, settings)
            assert (np.sum(here.astype(float) * there.astype(float), axis=1) > _ALIKE).all()
            taken: dict[str, list[float]] = {"local": [], "remote": []}
            for _ in range(rounds):
                for name, pool in (("local", local), ("remote", remote)):
                    started = time.perf_counter()
                    await _embed(pool, spec, texts, settings)
                    taken[name].append(time.perf_counter() - started)
        rates = {name: len(texts) / statistics.median(each) for name, each in taken.items()}
        return {
            "chunks": len(texts),
            "batch_chunks": batch_chunks,
            "rounds": rounds,
            "local_chunks_per_s": round(rates["local"], 1),
            "remote_chunks_per_s": round(rates["remote"], 1),
            "remote_to_local": round(rates["remote"] / rates["local"], 3),
            "load": os.getloadavg()[0],
        }


async def _embed(pool: ComputePool, spec: ModelSpec, texts: Sequence[str], settings: Settings) -> np.ndarray:
    """As an operation embeds: tasks of `embedding.batch_chunks`, one more than there are workers at a time."""
    size, slots = settings.embedding.batch_chunks, asyncio.Semaphore(pool.batch_workers + 1)

    async def embed(batch: Sequence[str]) -> np.ndarray:
        async with slots:
            return await pool.embed(spec, batch)

    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    return np.concatenate(await asyncio.gather(*map(embed, batches)))


@contextmanager
def _cluster(home: Path) -> Iterator[PoolSettings]:
    """A scheduler and two workers; yields the settings of a server for them."""
    with listening("127.0.0.1", 0) as sockets:
        port = sockets[0].getsockname()[1]
    url, ca, certificate, key = f"tls://127.0.0.1:{port}", home / "ca.pem", home / "all.pem", home / "all.key"
    _openssl("req", "-x509", *_KEY, "-subj", "/CN=ca", "-keyout", str(home / "ca.key"), "-out", str(ca))
    request = str(home / "all.csr")
    _openssl("req", *_KEY[:-2], "-subj", "/CN=all", "-keyout", str(key), "-out", request)
    signing = ("-CA", str(ca), "-CAkey", str(home / "ca.key"), "-CAcreateserial", "-out", str(certificate))
    _openssl("x509", "-req", "-in", request, *signing)
    scheduler = [str(Path(sys.executable).with_name("dask")), "scheduler", "--protocol", "tls"]
    scheduler += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-dashboard",
        "--dashboard-address",
        "127.0.0.1:0",
    ]
    scheduler += ["--tls-ca-file", str(ca), "--tls-cert", str(certificate), "--tls-key", str(key)]
    flags = [
        "--pool-scheduler",
        url,
        "--pool-tls-ca-file",
        str(ca),
        "--pool-workers",
        "1",
        "--log-level",
        "error",
    ]
    flags += ["--pool-tls-certificate-file", str(certificate), "--pool-tls-key-file", str(key)]
    flags += ["--pool-niceness", "0"]  # on a busy machine the others would go first
    worker = str(ROOT / "bin" / "semantik-worker")
    commands = [scheduler, *([worker, "--data", str(home / f"worker-{n}"), *flags] for n in range(WORKERS))]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    try:
        files = {"tls_ca_file": str(ca), "tls_certificate_file": str(certificate), "tls_key_file": str(key)}
        yield PoolSettings(workers=WORKERS, scheduler=url, idle_s=0, niceness=0, **files)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.remote_workers", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "docs", help="whose documents' chunks are embedded"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--batch-chunks", type=int, default=256, help="chunks in a task")
    arguments = parser.parse_args()
    documents = read_chunks(arguments.folder)
    texts = [one.chunks.embedded(number) for one in documents for number in range(len(one.chunks))]
    print(json.dumps(asyncio.run(measure(texts, arguments.rounds, arguments.batch_chunks)), indent=2))


if __name__ == "__main__":
    main()
