"""The bytes of one HTTP/1 request while they arrive, until its head and its body are complete.

gunicorn's parser reads the request afterwards and decides whether it is valid. This class only finds the end of the request.
"""

import re
from dataclasses import dataclass

from libs.web.bodies import MAX_BODY_BYTES

MAX_HEAD_BYTES = 32 * 1024
MAX_CHUNK_LINE_BYTES = 1024  # a size and its extensions
MAX_TRAILER_BYTES = 8 * 1024
HEAD_END, LINE_END = b"\r\n\r\n", b"\r\n"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
FIELD = r"(?im)^%s[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?$"
LENGTH = re.compile((FIELD % "content-length").encode())
CODING = re.compile((FIELD % "transfer-encoding").encode())
EXPECT = re.compile((FIELD % "expect").encode())
FIRST_LINE = re.compile(rb"[^\r\n]* HTTP/1\.1\r\n")


@dataclass(frozen=True)
class RequestLimits:
    """How long a request may take to arrive. `seconds` is for the head, and again for the body.

    The body gets the time that its length takes by `min_rate` (bytes/s) in addition. Chunk sizes, extensions and trailers get none.
    """

    seconds: float = 10.0
    min_rate: int = 1024


class Refused(Exception):
    """The request is refused before it is complete. `status` is the status of the response."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(status)


class RequestBuffer:
    """One request. `feed` it bytes until `complete` is True. `deadline` (monotonic seconds) is the time by which it must be.

    `rest` are the bytes after the request, which belong to the next one. A body over MAX_BODY_BYTES is `too_large`: the request
    counts as complete at once, and its body is not kept.
    """

    def __init__(self, limits: RequestLimits, now: float) -> None:
        self.head, self.body, self.rest = b"", bytearray(), bytearray()
        self.complete = self.too_large = self.chunked = self.expects = False
        self.deadline = now + limits.seconds
        self._limits, self._searched, self._length, self._left = limits, 0, 0, 0
        self._in_trailer = False

    @property
    def started(self) -> bool:
        """True when a byte of the request has arrived."""
        return bool(self.head or self.rest)

    def feed(self, data: bytes, now: float) -> None:
        """Take bytes that arrived. Raises Refused: 400 for malformed chunks, 414 and 431 for a head that is too large, 417."""
        self.rest += data
        if not self.head and not self._take_head(now):
            return
        if self.chunked:
            before = len(self.body)
            self._take_chunks()
            self.deadline += (
                max(0, len(self.body) - before) / self._limits.min_rate
            )  # of the data, not of what frames it
        elif len(self.rest) >= self._length:
            self.body, self.rest = self.rest[: self._length], self.rest[self._length :]
            self.complete = True

    def raw(self) -> bytes:
        """The request as one piece for gunicorn's parser: a chunked body is one chunk."""
        if self.too_large or not self.chunked:
            return self.head + self.body
        return self.head + (b"%x\r\n%s\r\n" % (len(self.body), self.body) if self.body else b"") + b"0\r\n\r\n"

    def _take_head(self, now: float) -> bool:
        if self.rest[:2] == LINE_END:  # RFC 9112 2.2: an empty line before the request line is ignored
            del self.rest[:2]
        end = self.rest.find(HEAD_END, max(0, self._searched - len(HEAD_END)))
        self._searched = len(self.rest)
        if end < 0 and self._searched <= MAX_HEAD_BYTES:
            return False
        if end < 0 or end > MAX_HEAD_BYTES:
            raise Refused(431 if 0 <= self.rest.find(LINE_END) <= MAX_HEAD_BYTES // 4 else 414)
        end += len(HEAD_END)
        self.head = bytes(self.rest[:end])
        del self.rest[:end]
        self._frame(now)
        return True

    def _frame(self, now: float) -> None:
        """Find the framing of the body. gunicorn's parser refuses what is not valid here."""
        codings, length = CODING.findall(self.head), LENGTH.search(self.head)
        # Several fields are one list (RFC 9110 5.3), and its last coding is the framing.
        self.chunked = bool(codings) and length is None and codings[-1].lower().endswith(b"chunked")
        if length and not codings and length[1].isdigit():
            self._length = int(length[1].lstrip(b"0")[:20] or 0)  # zeros before it do not count
        if self._length > MAX_BODY_BYTES:
            self._give_up()
        self.expects = self._expects() and not self.complete and not self.rest
        self.deadline = now + self._limits.seconds + self._length / self._limits.min_rate

    def _expects(self) -> bool:
        """Whether the client waits for 100 (RFC 9110 10.1.1). In HTTP/1.0 it can't. Raises Refused for another expectation."""
        expectation = EXPECT.search(self.head)
        if expectation is None or not FIRST_LINE.match(self.head):
            return False
        if expectation[1].lower() != b"100-continue":
            raise Refused(417)
        return True

    def _give_up(self) -> None:
        self.complete = self.too_large = True
        self.body, self.rest, self._length = bytearray(), bytearray(), 0

    def _take_chunks(self) -> None:
        """Move the data of chunks from `rest` to `body`. RFC 9112 7.1."""
        while not self.complete:
            if self._in_trailer:
                self._skip_trailer()
                return
            if self._left > 2:  # the data of a chunk, without the line end after it
                taken = self.rest[: self._left - 2]
                self.body += taken
                del self.rest[: len(taken)]
                self._left -= len(taken)
            if self._left:
                if self._left > 2 or len(self.rest) < 2:
                    return
                if self.rest[:2] != LINE_END:
                    raise Refused(400)
                del self.rest[:2]
                self._left = 0
            if not self._begin_chunk():
                return

    def _begin_chunk(self) -> bool:
        end = self.rest.find(LINE_END, 0, MAX_CHUNK_LINE_BYTES)
        if end < 0:
            if len(self.rest) >= MAX_CHUNK_LINE_BYTES:
                raise Refused(400)
            return False
        line = CHUNK_LINE.fullmatch(bytes(self.rest[:end]))
        if line is None:
            raise Refused(400)
        size = int(line[1], 16)
        if len(self.body) + size > MAX_BODY_BYTES:
            self._give_up()
            return False
        self._in_trailer = size == 0
        self._left = size + 2 if size else 0
        del self.rest[
            : end if self._in_trailer else end + 2
        ]  # the trailer begins with the end of the last chunk's line
        return True

    def _skip_trailer(self) -> None:
        end = self.rest.find(HEAD_END, 0, MAX_TRAILER_BYTES)
        if end < 0:
            if len(self.rest) >= MAX_TRAILER_BYTES:
                raise Refused(431)
            return
        del self.rest[: end + len(HEAD_END)]
        self.complete = True
