"""The end of a request, found while its bytes arrive in any pieces."""

import pytest

from libs.web.bodies import MAX_BODY_BYTES
from libs.web.serving.request_buffer import MAX_HEAD_BYTES, Refused, RequestBuffer, RequestLimits

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
LIMITS = RequestLimits(10, 1000)
WHOLE = {
    "no body": (HEAD + b"\r\n", b""),
    "a length": (HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc"),
    "a length in other letters": (HEAD + b"content-LENGTH:3 \r\n\r\nabc", b"abc"),
    "an empty line first": (b"\r\n" + HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n", b"abc"),
    "no chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
    "a trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\n0\r\nX: y\r\n\r\n", b"a\r\n"),
    "codings in two fields": (
        HEAD + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"abc",
    ),
    "a length of many digits": (HEAD + b"Content-Length: " + b"0" * 40 + b"3\r\n\r\nabc", b"abc"),
    "leading zeros": (HEAD + b"Transfer-Encoding: Chunked\r\n\r\n0003\r\nabc\r\n000\r\n\r\n", b"abc"),
}


def fed(data, size):
    buffer = RequestBuffer(LIMITS, 0.0)
    for start in range(0, len(data), size):
        assert not buffer.complete, "complete before its end"
        buffer.feed(data[start : start + size], 0.0)
    return buffer


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("kind", WHOLE)
def test_a_request_ends_with_its_last_byte_in_whatever_pieces_it_comes(kind, size):
    data, body = WHOLE[kind]
    buffer = fed(data, size)
    assert (buffer.complete, bytes(buffer.body), bytes(buffer.rest)) == (True, body, b"")


@pytest.mark.parametrize("kind", WHOLE)
def test_what_follows_belongs_to_the_next_request(kind):
    data, body = WHOLE[kind]
    buffer = fed(data + b"GET /", 10_000)
    assert (bytes(buffer.body), bytes(buffer.rest)) == (body, b"GET /")


def test_a_body_over_the_limit_is_not_kept():
    for framing in (b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"):
        buffer = fed(HEAD + framing % (MAX_BODY_BYTES + 1), 10_000)
        assert (buffer.complete, buffer.too_large, len(buffer.body)) == (True, True, 0)
        assert not fed(HEAD + framing % MAX_BODY_BYTES, 10_000).complete


@pytest.mark.parametrize("data", [b"GET /" + b"a" * MAX_HEAD_BYTES, HEAD + b"X: y\r\n" * MAX_HEAD_BYTES])
def test_a_head_over_the_limit_is_refused(data):
    with pytest.raises(Refused):
        fed(data, 1000)


def test_the_deadline_is_that_of_the_head_then_of_the_body():
    buffer = RequestBuffer(LIMITS, 100.0)
    assert buffer.deadline == 110.0
    buffer.feed(HEAD, 105.0)
    assert buffer.deadline == 110.0
    buffer.feed(b"Content-Length: 2000\r\n\r\n", 106.0)
    buffer.feed(b"x" * 100, 107.0)
    assert buffer.deadline == 106.0 + 10 + 2


def test_a_chunked_body_gets_the_time_of_what_has_arrived():
    buffer = RequestBuffer(LIMITS, 100.0)
    buffer.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 100.0)
    before = buffer.deadline
    buffer.feed(b"fff\r\n" + b"x" * 500, 105.0)
    assert buffer.deadline == before + 0.5
    buffer.feed(b"x" * 500, 106.0)
    assert buffer.deadline == before + 1


@pytest.mark.parametrize(
    "piece",
    [b"1;" + b"x" * 1000 + b"\r\na\r\n", b"0" * 7 + b"1\r\na\r\n", b"1 ;x=y\r\na\r\n"],
    ids=["extensions", "zeros", "short extensions"],
)
def test_what_frames_a_body_buys_no_time(piece):
    buffer = RequestBuffer(LIMITS, 100.0)
    buffer.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", 100.0)
    before = buffer.deadline
    for _ in range(50):
        buffer.feed(piece, 101.0)
    assert (bytes(buffer.body), buffer.complete) == (b"a" * 50, False)
    assert buffer.deadline == pytest.approx(before + 50 / LIMITS.min_rate)


def test_a_trailer_buys_no_time():
    buffer = RequestBuffer(LIMITS, 100.0)
    buffer.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", 100.0)
    before = buffer.deadline
    buffer.feed(b"X: y\r\n" * 500, 101.0)
    assert (buffer.complete, buffer.deadline) == (False, before)


@pytest.mark.parametrize(
    ("version", "expectation", "expects"),
    [
        ("1.1", "100-continue", True),
        ("1.1", " 100-Continue ", True),
        ("1.0", "100-continue", False),
        ("1.0", "200-maybe", False),
    ],
)
def test_only_a_client_of_http_1_1_waits_for_100(version, expectation, expects):
    """RFC 9110 10.1.1 and 15.2: a client of HTTP/1.0 gets no interim response."""
    buffer = RequestBuffer(LIMITS, 0.0)
    buffer.feed(f"POST / HTTP/{version}\r\nHost: x\r\nContent-Length: 3\r\nExpect:{expectation}\r\n\r\n".encode(), 0.0)
    assert (buffer.complete, buffer.expects) == (False, expects)


def test_another_expectation_is_refused_before_the_body():
    with pytest.raises(Refused) as refused:
        RequestBuffer(LIMITS, 0.0).feed(HEAD + b"Content-Length: 3\r\nExpect: 200-maybe\r\n\r\n", 0.0)
    assert refused.value.status == 417
