"""Revoked tokens: the worker stores the revocation, the web process refuses the tokens."""

import secrets
import time

from libs.messaging.envelope import Event
from product_service.events.topics import USERS_GROUP
from product_service.tests.integration.conftest import HANDLERS


def test_a_revoked_token_is_refused_once_the_row_is_read(client, token_of, monkeypatch):
    monkeypatch.setattr("libs.access.revocations.READ_SECONDS", 0)
    user_id = secrets.token_hex(12)
    headers = token_of("staff", user_id=user_id)
    assert client.get("/products?active=false", headers=headers).status_code == 200
    data = {"userId": user_id, "sid": None, "notBefore": round(time.time() * 1000) + 1}
    for _ in range(2):
        HANDLERS[USERS_GROUP]["user-revocations"](
            Event("01K00000000000000000000000", "user-revocations", user_id, 1, "", data)
        )
    for path in ("/products?active=false", "/products"):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "not-authenticated")
