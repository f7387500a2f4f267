"""The open loop's requests and its account of them."""

from __future__ import annotations

from collections import Counter

from bench.open_loop import DRAIN_SECONDS, encode, length_of, summary
from bench.request import Request


def test_a_request_is_written_with_its_token_and_a_body_of_its_own() -> None:
    request = Request("http://127.0.0.1:8000/products?limit=2", "POST", "secret", {"name": "B # ~"})
    assert encode(request, 53, "7") == (
        b"POST /products?limit=2 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAccept: application/json\r\n"
        b"Authorization: Bearer secret\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
        b'{"name": "B 7 3"}'
    )


def test_the_length_of_a_body_is_read_from_the_head() -> None:
    assert length_of(b"http/1.1 200 ok\r\ncontent-type: a\r\ncontent-length: 120\r\nx: y") == 120
    assert length_of(b"http/1.1 204 no content") == 0


def test_requests_without_an_answer_count_as_failed_and_as_slow() -> None:
    found = summary(100, 4, [1.0, 2.0, 3.0], [0.1], Counter({200: 2, 503: 1}))
    assert (found.failed, found.p50, found.longest) == (2, 2.0, DRAIN_SECONDS * 1000)
    assert (found.late_p99, found.statuses) == (0.1, {"200": 2, "503": 1})
