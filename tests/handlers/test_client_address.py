"""The client's address and the request's id: what a proxy says counts only where the proxy is trusted."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from support.patience import deadline, patience
from support.server import Serving
from tornado.httputil import HTTPHeaders

from handlers.client_address import peer_address, request_context

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the client wrote the first
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("::1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("192.0.2.5", "203.0.113.7", "192.0.2.5"),
    ],
)
def test_the_address_is_the_last_one_that_no_trusted_proxy_has(
    peer: str, forwarded: str, address: str
) -> None:
    headers = HTTPHeaders({"X-Forwarded-For": forwarded})
    assert request_context(peer, headers, TRUSTED).remote_ip == address


def test_scheme_and_request_id_count_from_a_trusted_proxy_only() -> None:
    headers = HTTPHeaders({"X-Forwarded-Proto": "https", "X-Request-Id": "from-the-proxy"})
    trusted = request_context("10.9.9.9", headers, TRUSTED)
    assert (trusted.protocol, trusted.request_id) == ("https", "from-the-proxy")
    foreign = request_context("192.0.2.5", headers, TRUSTED)
    assert foreign.protocol == "http" and foreign.request_id != "from-the-proxy"


def test_a_request_id_that_could_change_the_log_is_replaced() -> None:
    for given in ("a b", "a\x1b[2J", "x" * 101, ""):
        made = request_context("127.0.0.1", HTTPHeaders({"X-Request-Id": given}), TRUSTED).request_id
        assert len(made) == 16 and made != given


def test_what_comes_through_a_unix_socket_is_local() -> None:
    assert peer_address("", None) == "127.0.0.1"
    assert peer_address(("::ffff:192.0.2.5", 1, 0, 0), None) == "192.0.2.5"


async def _answer(serving: Serving, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=patience()) as client:
        return await client.get(serving.url + path, headers=headers)


async def _logged(serving: Serving, line: str) -> None:
    """The line is written after the answer has gone out."""
    async with deadline():
        while line not in serving.log.read_text():  # noqa: ASYNC110 (a log tells nobody)
            await asyncio.sleep(0.05)


@pytest.mark.gen_test
async def test_each_answer_has_an_id_that_the_problem_and_the_log_have_too(shared: Serving) -> None:
    answer = await _answer(shared, "/api/v2/collections")
    request_id = answer.headers["X-Request-Id"]
    assert answer.status_code == 401 and answer.json()["request_id"] == request_id
    await _logged(shared, f" {request_id} 127.0.0.1 /api/v2/collections")
    assert (await _answer(shared, "/")).headers["X-Request-Id"] != request_id


@pytest.mark.gen_test
async def test_a_trusted_proxy_names_client_and_request(shared: Serving) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Request-Id": "named-by-the-proxy"}
    answer = await _answer(shared, "/api/v2/nothing", **headers, **{"X-Forwarded-Proto": "https"})
    assert answer.json()["request_id"] == "named-by-the-proxy"
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    await _logged(shared, " named-by-the-proxy 203.0.113.7 /api/v2/nothing")
