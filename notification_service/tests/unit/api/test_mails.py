"""The bodies of the test mail's route."""

import pytest


@pytest.mark.parametrize(
    "body",
    [
        {"to": "no-at"},
        {"to": ["ada@example.com"]},
        {"to": "ada@example.com\r\nBcc: eve@example.com"},
        {"to": {"$gt": ""}},
        {"cc": "ada@example.com"},
    ],
)
def test_a_bad_recipient_is_refused(client, as_role, body):
    answer = client.post("/test-email", json=body, headers=as_role("staff"))
    assert (answer.status_code, answer.json["code"]) == (400, "invalid")
    assert answer.json["errors"][0]["field"] in ("to", "cc")


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [(b"{", "application/json", 400), (b"", "application/json", 400), (b"<x/>", "text/xml", 415)],
)
def test_a_body_that_is_no_json_object_is_refused(client, as_role, raw, kind, status):
    answer = client.post("/test-email", data=raw, content_type=kind, headers=as_role("staff"))
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
