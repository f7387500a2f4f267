"""A mail as the bytes that SMTP carries.

Flask-Mail's Message and the standard library's email package take 2 ms a mail, as much CPU time as all other work for it. Message
also queries DNS for the host's name for each mail. So this module writes the few lines of MIME that our mails need. The tests let
the standard library read them. Text that is ASCII in short lines goes as it is: quoted-printable takes 0.1 ms of a long mail.
"""

import time
from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import lru_cache

from notification_service.domain.mail import Mail

MAX_PLAIN = 60  # characters of a subject that is never folded
MAX_LINE_BYTES = 998  # RFC 5322 2.1.1
MAX_LINE = 76
"""Characters in a line with encoded words (RFC 2047 2). Such a word has at most 75, and is never cut within a character."""
MAX_ASCII_WORD = 900
"""A longer word without spaces can't be folded, and a line has at most 998 characters (RFC 5322 2.1.1)."""


def sender_header(name: str, address: str) -> str:
    """The value of From. A name that is not short and plain becomes encoded words of at most 75 characters each.

    Raises ValueError for a line break.
    """
    if {"\r", "\n"} & {*name, *address}:
        raise ValueError("the sender holds a line break")
    plain = formataddr((name, address))
    if name.isascii() and "=?" not in name and len(f"From: {plain}") <= MAX_LINE:
        return plain
    return f"{_encoded(name, 'From')}\r\n <{address}>"


def to_bytes(mail: Mail, sender: str) -> bytes:
    """`mail` as multipart/alternative with CRLF line ends. `sender`: from sender_header.

    Raises ValueError for a line break in a header.
    """
    boundary = f"=_{mail.message_id[1:33]}"  # a hash of the event's id, which no text of the event can hold
    if {"\r", "\n"} & {*mail.recipient, *mail.subject}:
        raise ValueError("a header holds a line break")
    headers = {
        "From": sender,
        "To": mail.recipient,
        "Subject": _unstructured(mail.subject),
        "Date": _date(int(time.time())),
        "Message-ID": mail.message_id,
        "Auto-Submitted": "auto-generated",  # RFC 3834: prevents holiday notices in reply
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    if mail.trace_id:
        headers["X-Trace-Id"] = mail.trace_id
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
    begin, end = f"\r\n--{boundary}\r\n".encode(), f"\r\n--{boundary}--\r\n".encode()
    return head + begin + _part("plain", mail.text) + begin + _part("html", mail.html) + end


@lru_cache(1)
def _date(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


def _unstructured(text: str) -> str:
    """Text for a header without structure. Plain text that a reader would take for an encoded word is encoded, too."""
    if "=?" in text or max(map(len, text.split(" "))) > MAX_ASCII_WORD:
        return _encoded(text, "Subject")
    if text.isascii() and len(text) < MAX_PLAIN and text.isprintable():
        return text  # as Header returns it, in a hundredth of the time
    return Header(text, header_name="Subject").encode(linesep="\r\n")


def _encoded(text: str, header_name: str) -> str:
    return Header(text, "utf-8", header_name=header_name, maxlinelen=MAX_LINE).encode(linesep="\r\n")


def _part(kind: str, text: str) -> bytes:
    content = text.replace("\n", "\r\n").encode()
    if content.isascii() and max(map(len, content.split(b"\r\n"))) <= MAX_LINE_BYTES and b"\0" not in content:
        encoding = "7bit"
    else:
        encoding, content = "quoted-printable", b2a_qp(content)
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + content
