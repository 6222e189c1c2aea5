#!/bin/sh
# tornado 6.6.1: a server without keep-alive confirms the upgrade to a WebSocket with "Connection: close".
#
# HTTPServer(no_keep_alive=True), or that parameter set later so that a server which is about to stop ends its
# connections, has every answer say "Connection: close". The answer 101 of a WebSocketHandler is one of them: it replaces
# the "Connection: Upgrade" that the handler has set, and without which RFC 6455, 4.1 has the client fail the
# connection. Tornado's own client ends with an AssertionError.
#
# Seen: "101 Switching Protocols" with "Connection: close" without keep-alive, and with "Connection: Upgrade" otherwise.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tornado==6.6.1
cat > "$folder/try.py" <<'PYTHON'
import asyncio

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler

REQUEST = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def answer(no_keep_alive):
    sock, port = bind_unused_port()
    server = HTTPServer(Application([("/", WebSocketHandler)]), no_keep_alive=no_keep_alive)
    server.add_socket(sock)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST.encode())
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    writer.close()
    server.stop()
    return lines[0], [line for line in lines if line.startswith("Connection:")]


async def main():
    kept, closed = await answer(False), await answer(True)
    print(kept, closed)
    assert kept == ("HTTP/1.1 101 Switching Protocols", ["Connection: Upgrade"])
    assert closed == ("HTTP/1.1 101 Switching Protocols", ["Connection: close"])


asyncio.run(main())
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
