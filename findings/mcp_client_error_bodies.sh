#!/bin/sh
# mcp 2.3.0 (Python SDK): its client shows nothing of an error that is told as a problem document, or that has no server.
#
# RFC 9457 problems (application/problem+json) are the usual body of a refusal, such as 401 or 429, from a server or from
# a proxy before it. The server made here refuses every request with 429, once with such a problem, once with an error of
# JSON-RPC that says the same. Then a client calls twice an address where nothing listens.
#
# Seen: of the problem, call_tool raises an MCPError with the message "Server returned an error response", without the
# status and without the sentence; of the error of JSON-RPC, its message. Where nothing listens, there is no
# MCPError: the first failed connection ends the whole client with an ExceptionGroup, and no second call is made.
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mcp==2.3.0 mcp-types==2.3.0
cat > "$folder/try.py" <<'PYTHON'
import asyncio
import json
import logging
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from mcp import Client, MCPError

SENTENCE = "There were more requests than 5 a second: try again in 2 s."
KIND = "application/problem+json"
logging.disable(logging.CRITICAL)


class Refusing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = {"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": SENTENCE}
        if KIND == "application/json":
            body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": SENTENCE}}
        self.send_response(429)
        self.send_header("Content-Type", KIND)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


async def message(url):
    async with Client(url, mode="2026-07-28") as client:
        try:
            await client.session.call_tool("any", {})
        except MCPError as error:
            return error.error.message


async def ends_the_client(url):
    calls = []
    try:
        async with Client(url, mode="2026-07-28") as client:
            for _ in range(2):
                try:
                    await client.session.call_tool("any", {})
                except MCPError:
                    calls.append("MCPError")
    except BaseExceptionGroup as group:
        calls.append(type(group).__name__)
    return calls


server = HTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}/mcp"
problem = asyncio.run(message(url))
KIND = "application/json"
error = asyncio.run(message(url))
server.shutdown()
server.server_close()
calls = asyncio.run(ends_the_client(url))
print("problem:", problem, "\nerror of JSON-RPC:", error, "\nnothing listens:", calls)
sys.exit(0 if problem == "Server returned an error response" and error == SENTENCE and "MCPError" not in calls else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
