"""Malformed events, made from a good one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

from ulid import ULID

from chaos.harness.topics import Record

DEEP = 10_000
MEGABYTE = 1_000_000


def poison(good: Record, *, compacted: bool = False) -> Iterator[Record]:
    """Without end, each with an event id of its own where it has one at all.

    The broker itself keeps what has no key out of a compacted topic. What has no value is a tombstone there, which is ignored.
    """
    data = json.loads(good.value or b"")
    values: list[bytes | None] = [
        b"{",
        b"\xff\xfe",
        b"\x00" * 20,
        None,
        b"",
        b"[]",
        b"7",
        b"{}",
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'"' + b"x" * MEGABYTE + b'"',
        json.dumps({name: {"$gt": ""} for name in data}).encode(),
        json.dumps(dict.fromkeys(data)).encode(),
        json.dumps(dict.fromkeys(data, 10**30)).encode(),
    ]
    headers: list[dict[str, bytes]] = [
        {"ce_specversion": b"2.0"},
        {"ce_type": b"never-heard-of"},
        {"ce_id": b"not-a-ulid"},
        {"ce_id": b""},
        {"ce_sequence": b"many"},
        {"ce_type": b"\xff"},
    ]
    kinds = [replace(good, value=value) for value in values if value is not None or not compacted]
    kinds += [replace(good, headers=good.headers | change) for change in headers]
    kinds += [replace(good, key=b"\xff"), replace(good, headers={})]
    kinds += [] if compacted else [replace(good, key=None)]
    for kind in cycle(kinds):
        fresh = {"ce_id": str(ULID()).encode()} if kind.headers.get("ce_id") == good.headers["ce_id"] else {}
        yield replace(kind, headers=kind.headers | fresh)
