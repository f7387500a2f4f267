"""The previews: JSON for programs, and pages for browsers, which have no token at first."""

import pytest

from notification_service.api.previews import COOKIE, DARK
from notification_service.domain.mail_kinds import KINDS

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def token_of(headers):
    return headers["Authorization"].removeprefix("Bearer ")


def sign_in(client, token):
    return client.post("/emails/sign-in", data={"token": token}, headers=BROWSER)


@pytest.fixture
def browser(client, as_role):
    """A browser that a viewer has signed in with."""
    assert sign_in(client, token_of(as_role("viewer"))).status_code == 303
    return client


def page(browser, path="/emails"):
    return browser.get(path, headers=BROWSER)


def test_programs_get_json(client, as_role):
    answer = client.get("/emails", headers=as_role("staff")).json
    assert (answer["next"], answer["previous"], len(answer["results"])) == (None, None, len(KINDS))
    assert answer["results"][1]["subject"].startswith("Order Confirmation - #")
    assert set(answer["results"][1]) == {"kind", "subject", "html", "text"}
    assert client.get("/emails/order-placed", headers=as_role("staff")).json == answer["results"][1]


@pytest.mark.parametrize("choice", ["", "&sample=large", "&part=text", "&width=phone&scheme=dark"])
def test_a_browser_gets_a_page_that_lists_all_mails_and_shows_one(browser, choice):
    for kind in KINDS:
        answer = page(browser, f"/emails?kind={kind}{choice}")
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert answer.text.count("<code>") == len(KINDS)
        assert answer.text.count("<iframe ") == ("part=text" not in choice)
        assert answer.text.count('aria-current="page"') == 1


def test_the_page_itself_runs_no_script_and_has_no_inline_styles(browser):
    answer = page(browser)
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert "<script" not in answer.text
    assert "style=" not in answer.text


def test_a_mail_in_the_page_can_do_nothing_and_only_this_service_may_frame_it(browser):
    answer = page(browser, "/emails/order-placed")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'self'", "sandbox"} <= set(policy)
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_light_and_dark_do_not_depend_on_the_browser(browser):
    light, dark = (page(browser, f"/emails/order-placed?scheme={scheme}").text for scheme in ("light", "dark"))
    assert DARK not in light + dark
    assert "@media not all" in light
    assert 'name="color-scheme" content="dark"' in dark


@pytest.mark.parametrize("path", ["/emails?kind=x", "/emails/x"])
def test_an_unknown_kind_is_not_found(browser, path):
    assert page(browser, path).json["code"] == "unknown-mail"


@pytest.mark.parametrize("query", ["scheme=red", "sample=", "width=1", "part=x", "x=1"])
def test_an_unknown_option_is_refused(browser, query):
    assert page(browser, f"/emails?{query}").status_code == 400


def test_a_browser_without_a_token_gets_the_form_and_a_program_gets_a_problem(client):
    answer = page(client)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "Access token" in answer.text
    assert "not valid" not in answer.text
    assert client.get("/emails").mimetype == "application/problem+json"


def test_scripts_other_sites_and_other_pages_do_not_get_the_token(client, as_role):
    answer = sign_in(client, token_of(as_role("viewer")))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/emails")
    kept = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/emails"} <= set(kept)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 5000])
def test_a_bad_token_is_refused_in_words(client, token):
    answer = sign_in(client, token)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "not valid" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_a_customer_is_refused_in_words(client, as_role):
    answer = sign_in(client, token_of(as_role()))
    assert (answer.status_code, "not a staff account" in answer.text) == (403, True)


def test_a_browser_whose_token_expired_gets_the_form_and_may_enter_another_token(client, as_role):
    client.set_cookie(COOKIE, "ended", path="/emails")
    assert "not valid" in page(client).text
    assert sign_in(client, token_of(as_role("viewer"))).status_code == 303


def test_the_cookie_is_no_token_for_other_routes(browser):
    browser.set_cookie(COOKIE, browser.get_cookie(COOKIE, path="/emails").value, path="/")
    assert browser.post("/test-email", json={}).status_code == 401
