"""The mails with sample data: JSON for programs, and for a browser without a token the way to the desk."""

import os

import pytest

from libs.runtime.config import load
from notification_service.api.app import create_app
from notification_service.api.previews import DARK
from notification_service.config import Config
from notification_service.domain.mail_kinds import KINDS

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_programs_get_json(client, as_role):
    answer = client.get("/emails", headers=as_role("viewer"))
    assert (answer.json["next"], answer.json["previous"], len(answer.json["results"])) == (None, None, len(KINDS))
    assert answer.headers["Cache-Control"] == "no-store"
    mail = answer.json["results"][1]
    assert mail["subject"].startswith("Order Confirmation - #")
    assert set(mail) == {"kind", "subject", "html", "text"}
    assert client.get("/emails/order-placed", headers=as_role("staff")).json == mail


def test_the_samples_differ(client, as_role):
    usual, large = (client.get(f"/emails?sample={name}", headers=as_role("viewer")).json for name in ("usual", "large"))
    assert len(large["results"]) == len(usual["results"])
    assert len(large["results"][1]["text"]) > len(usual["results"][1]["text"])


def test_light_and_dark_do_not_depend_on_the_reader(client, as_role):
    paths = ("/emails/order-placed", "/emails/order-placed?scheme=light", "/emails/order-placed?scheme=dark")
    both, light, dark = (client.get(path, headers=as_role("viewer")).json["html"] for path in paths)
    assert DARK in both
    assert DARK not in light + dark
    assert "@media not all" in light
    assert 'name="color-scheme" content="dark"' in dark


def test_an_unknown_kind_is_not_found(client, as_role):
    assert client.get("/emails/x", headers=as_role("viewer")).json["code"] == "unknown-mail"


@pytest.mark.parametrize("query", ["scheme=red", "sample=", "width=1", "part=x", "x=1"])
def test_an_unknown_option_is_refused(client, as_role, query):
    for path in ("/emails", "/emails/order-placed"):
        assert client.get(f"{path}?{query}", headers=as_role("viewer")).status_code == 400


@pytest.mark.parametrize("path", ["/emails", "/emails/order-placed"])
@pytest.mark.parametrize("token", [{}, {"Authorization": "Bearer x.y.z"}])
def test_a_browser_without_a_valid_token_is_led_to_the_desk_and_asked_for_none(client, path, token):
    answer = client.get(path, headers=BROWSER | token)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert 'href="http://127.0.0.1:3000/admin/emails/"' in answer.text
    assert not any(tag in answer.text for tag in ("<form", "<input", "<textarea", "<script", "style="))
    assert "WWW-Authenticate" in answer.headers
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_a_program_without_a_token_gets_a_problem(client):
    answer = client.get("/emails")
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_no_form_takes_a_token_any_more(client, as_role):
    token = as_role("viewer")["Authorization"].removeprefix("Bearer ")
    assert client.post("/emails/sign-in", data={"token": token}, headers=BROWSER).status_code in (404, 405)
    client.set_cookie("staff_token", token, path="/emails")
    assert client.get("/emails", headers=BROWSER).status_code == 401


@pytest.mark.parametrize("address", ["https://orders.shop.example/admin/", "https://orders.shop.example/admin"])
def test_the_desk_may_have_another_address(monkeypatch, address):
    monkeypatch.setenv("DESK_URL", address)
    app = create_app(load(Config, dict(os.environ)))
    answer = app.test_client().get("/emails", headers=BROWSER)
    app.extensions["worker"].mailer.close()
    assert 'href="https://orders.shop.example/admin/emails/"' in answer.text


def test_no_token_is_valid_before_the_revocations_are_read(config, as_role):
    app = create_app(config)
    answer = app.test_client().get("/emails", headers=as_role("staff"))
    app.extensions["worker"].mailer.close()
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
