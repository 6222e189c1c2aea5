"""A search over HTTP in many chunks, beside that of another build: one client, many clients, and their processor time.

Each build has its own data folder with the same rows, and is asked in its default way.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from bench.inserted_data import inserted, wait_until_ready
from bench.pairs import Pair
from bench.queries import SearchConnection, random_queries, search_together
from bench.server_process import ROOT, Server, cpu_seconds, run_server
from bench.sizes import sized

_CHUNKS = sized(100_000, 20_000)
_ROUNDS, _BLOCK = sized(12, 4), 25
_CLIENTS, _CLIENT_ROUNDS, _CLIENTS_S = 16, sized(6, 2), 3.0


def compare_searches(build: Path) -> list[Pair]:
    """This build beside the one in the folder `build`."""
    return asyncio.run(_compare((ROOT, build)))


async def _compare(builds: tuple[Path, Path]) -> list[Pair]:
    data_sets = [await asyncio.to_thread(inserted, _CHUNKS, build) for build in builds]
    queries = random_queries(int(time.time()))
    note = f"{_CHUNKS:,} chunks, k = 10, in turns"
    latency = Pair("a search over HTTP, one client", "ms", "lower", note=note)
    rate = Pair(f"searches per second, {_CLIENTS} clients", "/s", "higher", note=note)
    cost = Pair("processor time of a search then, all processes", "ms", "lower", note=note)
    async with AsyncExitStack() as stack:
        servers: list[Server] = []
        connections: list[SearchConnection] = []
        for build, data_set in zip(builds, data_sets, strict=True):
            server = await stack.enter_async_context(run_server(data_set.data, build=build))
            await wait_until_ready(server, data_set.data)
            connection = SearchConnection(server.client.url, server.client.token, data_set.collection_id)
            servers.append(server)
            connections.append(await stack.enter_async_context(connection))
        for number in range(_ROUNDS + 1):
            for at, of in _in_turn(number, latency):
                taken = [await connections[at].search_seconds(next(queries)) for _ in range(_BLOCK)]
                if number:  # the first round warms caches
                    of.extend(1000 * seconds for seconds in taken)
        for number in range(_CLIENT_ROUNDS):
            for at, of in _in_turn(number, rate):
                before_s = cpu_seconds(servers[at].pid)
                count, seconds = await search_together(
                    servers[at].client.url,
                    servers[at].client.token,
                    data_sets[at].collection_id,
                    queries,
                    _CLIENTS,
                    _CLIENTS_S,
                )
                of.append(count / seconds)
                used = (cpu_seconds(servers[at].pid) - before_s) / count
                (cost.theirs if at else cost.ours).append(1000 * used)
    return [latency, rate, cost]


def _in_turn(number: int, pair: Pair) -> tuple[tuple[int, list[float]], ...]:
    """The builds' numbers and values, in an order that changes from round to round."""
    both = ((0, pair.ours), (1, pair.theirs))
    return both if number % 2 else both[::-1]
