#!/bin/sh
# redis-py 8.1.0: a client with `single_connection_client=True` on a SentinelConnectionPool never finds a new primary.
#
# Its one connection reconnects by `connect_check_health`, which skips the `connect` of SentinelManagedConnection, and so
# the question to Sentinel: it goes to the address of the first primary for ever. A client that takes a connection from
# the same pool for each command asks Sentinel again.
#
# Here two servers answer +OK to everything, and "Sentinel" names the first, then the second.
# Seen: after the first one has gone, the single connection gets "Connection refused" each time, and the pool an answer.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import sys
from contextlib import suppress

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError


class Server:
    async def start(self):
        self.writers = []
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.address = self.server.sockets[0].getsockname()
        return self

    async def accept(self, reader, writer):
        self.writers.append(writer)
        with suppress(asyncio.CancelledError):
            while line := await reader.readline():
                if line.startswith(b"*"):
                    writer.write(b"+OK\r\n")

    def stop(self):
        self.server.close()
        for writer in self.writers:
            writer.close()


class Known(Sentinel):
    async def discover_master(self, service_name):
        return self.primary


async def answers(client):
    found = []
    for _ in range(5):
        try:
            await client.execute_command("ECHO", "x")
            found.append("an answer")
        except (RedisError, OSError) as error:
            found.append("refused" if "connect" in str(error).lower() else repr(error))
    return found


async def main():
    first, second = await Server().start(), await Server().start()
    sentinel = Known([("127.0.0.1", 1)])
    sentinel.primary = first.address
    options = {"protocol": 2, "retry": Retry(NoBackoff(), 0)}
    single = Redis(
        connection_pool=SentinelConnectionPool("mymaster", sentinel, **options), single_connection_client=True
    )
    pooled = Redis.from_pool(SentinelConnectionPool("mymaster", sentinel, **options))
    for client in (single, pooled):
        await client.execute_command("ECHO", "x")
    first.stop()
    sentinel.primary = second.address
    await asyncio.sleep(0.1)
    seen = {"single connection": await answers(single), "pool": await answers(pooled)}
    for name, found in seen.items():
        print(f"{name}: {', '.join(found)}")
    await single.aclose()
    await pooled.aclose()
    return seen["single connection"][1:] == ["refused"] * 4 and seen["pool"][1:] == ["an answer"] * 4


sys.exit(0 if asyncio.run(main()) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
