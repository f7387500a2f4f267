"""A mail as the bytes that SMTP carries.

Flask-Mail's Message and the standard library's email package take 2 ms a mail, as much CPU time as all other work for it. Message
also queries DNS for the host's name for each mail. So this module writes the few lines of MIME that our mails need. The tests let
the standard library read them.
"""

from binascii import b2a_qp
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime

from notification_service.domain.mail import Mail


def to_bytes(mail: Mail, sender: str) -> bytes:
    """`mail` as multipart/alternative with CRLF line ends. Raises ValueError for a line break in a header."""
    boundary = f"=_{mail.message_id[1:33]}"  # "=_" never occurs in quoted-printable text (RFC 2045 6.7)
    if {"\r", "\n"} & {*mail.recipient, *mail.subject, *sender}:
        raise ValueError("a header holds a line break")
    headers = {
        "From": sender,
        "To": mail.recipient,
        "Subject": Header(mail.subject, header_name="Subject").encode(linesep="\r\n"),
        "Date": format_datetime(datetime.now(UTC)),
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


def _part(kind: str, text: str) -> bytes:
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return head.encode() + b2a_qp(text.replace("\n", "\r\n").encode())
