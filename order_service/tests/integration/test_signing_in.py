"""Signing in to the desk with an account of user_service. A small server takes its place."""

import re
import time

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from werkzeug.test import Client as WerkzeugClient

from libs.access.revocations import Revocation
from libs.values.times import now
from order_service.api.app import create_app
from order_service.desk.models import StaffTokens
from order_service.desk.sign_in import token_store
from order_service.store.worker_tables import stored_revocations
from order_service.tests.integration.neighbours import PASSWORD, sign_in

pytestmark = pytest.mark.django_db


def is_in(browser):
    return browser.get("/admin/").status_code == 200


def test_staff_sign_in_with_their_account_and_get_the_group_of_each_role(accounts, browser):
    email = accounts.add("staff")
    answer = sign_in(browser, email.upper(), REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="Browser\u00a0of\r\nAda")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    told = accounts.asked[-1].headers
    assert (told["X-Forwarded-For"], told["User-Agent"]) == ("203.0.113.9", "Browser?of??Ada")
    user = get_user_model().objects.get(username=accounts.accounts[email]["user_id"])
    assert {group.name for group in user.groups.all()} == {"viewer", "staff"}
    assert (user.email, user.is_staff, user.is_superuser, user.has_usable_password()) == (email, True, False, False)
    page = browser.get("/admin/").content.decode()
    assert user.first_name in page
    assert browser.get("/orders", headers={"accept": "application/json"}).status_code == 200


@pytest.mark.parametrize(("role", "may_move"), [("viewer", 403), ("staff", 404), ("admin", 404)])
def test_the_role_decides_what_may_be_done(accounts, browser, role, may_move):
    sign_in(browser, accounts.add(role))
    assert browser.get("/admin/orders/order/").status_code == 200
    assert browser.put("/orders/x/status", {"status": "shipped"}, "application/json").status_code == may_move
    assert browser.get("/admin/auth/user/").status_code == (200 if role == "admin" else 403)
    assert browser.get("/admin/auth/user/add/").status_code == 403


def test_groups_follow_the_roles_at_each_sign_in(accounts, browser):
    email = accounts.add("admin")
    sign_in(browser, email)
    accounts.accounts[email]["roles"] = ["viewer"]
    sign_in(browser, email)
    user = get_user_model().objects.get(username=accounts.accounts[email]["user_id"])
    assert [group.name for group in user.groups.all()] == ["viewer"]


def test_customers_strangers_and_wrong_passwords_are_refused_alike(accounts, browser):
    texts = set()
    for email, password in ((accounts.add(), PASSWORD), ("x@example.com", PASSWORD), (accounts.add("staff"), "wrong")):
        answer = sign_in(browser, email, password)
        assert answer.status_code == 200
        [text] = re.findall(r'class="errornote[^>]*>(.*?)</div>', answer.content.decode(), re.DOTALL)
        assert "correct" in text
        texts.add(text)
        assert not is_in(browser)
    assert len(texts) == 1


def test_a_code_is_asked_for_when_the_account_has_one(accounts, browser):
    email = accounts.add("staff", totp=True)
    assert "authenticator" in sign_in(browser, email).content.decode()
    assert not is_in(browser)
    assert sign_in(browser, email, code="000000").status_code == 200
    assert not is_in(browser)
    assert sign_in(browser, email, code="123 456".replace(" ", "")).status_code == 302


def test_while_user_service_is_unavailable_the_page_says_so_and_a_local_superuser_can_sign_in(settings, browser):
    settings.USER_SERVICE_URL = "http://127.0.0.1:1"
    began = time.monotonic()
    answer = sign_in(browser, "ada@example.com")
    assert time.monotonic() - began < 5
    assert "account service does not respond" in answer.content.decode()
    assert AccessAttempt.objects.count() == 0  # an outage locks no account out
    get_user_model().objects.create_superuser("Boss", "boss@example.com", PASSWORD)
    assert sign_in(browser, "Boss").status_code == 302
    assert is_in(browser)


def test_a_revoked_account_or_login_ends_the_session_and_others_go_on(accounts, read_revocations):
    everywhere, once, other = accounts.add("staff"), accounts.add("staff"), accounts.add("staff")
    browsers = {email: Client(headers={"accept": "text/html"}) for email in (everywhere, once, other)}
    for email, browser in browsers.items():
        sign_in(browser, email)
        assert is_in(browser)
    later = round(time.time() * 1000) + 1
    stored_revocations.add([Revocation(accounts.accounts[everywhere]["user_id"], None, later)])
    stored_revocations.add([Revocation(accounts.accounts[once]["user_id"], accounts.accounts[once]["sid"], later)])
    assert [is_in(browser) for browser in browsers.values()] == [False, False, True]
    assert browsers[once].get("/orders", headers={"accept": "application/json"}).status_code == 401


def test_a_session_that_another_release_began_is_over_and_no_error(accounts, browser):
    sign_in(browser, accounts.add("staff"))
    session = browser.session
    session["desk"] = {"user_id": "x", "sid": None, "signed_in_at": 0, "access": "x", "refresh": "x"}
    session.save()
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/admin/login/").status_code == 200


def test_a_session_rests_for_half_an_hour_and_lasts_for_a_day_at_most(accounts, browser, monkeypatch):
    sign_in(browser, accounts.add("staff"))
    row = Session.objects.get(pk=browser.session.session_key)
    assert 1700 < (row.expire_date - now()).total_seconds() <= 1800
    monkeypatch.setattr("order_service.desk.sign_in.staff_login.MAX_AGE_MS", 0)
    assert not is_in(browser)
    assert not Session.objects.exists()
    assert not StaffTokens.objects.exists()


def test_the_tokens_of_the_login_stay_on_the_server_and_signing_out_ends_it(accounts, browser):
    email = accounts.add("staff")
    answer = sign_in(browser, email)
    assert "refresh-of" not in str(answer.cookies) + answer.content.decode()
    kept = token_store.read(browser.session["desk"]["tokens"])
    assert kept.refresh.startswith(f"refresh-of-{accounts.accounts[email]['user_id']}")
    assert kept.access.count(".") == 2
    assert browser.post("/admin/logout/").status_code == 302
    assert accounts.asked[-1][1:4] == ("/logout", {}, {"refresh": kept.refresh})
    assert not is_in(browser)
    assert not Session.objects.exists()
    assert not StaffTokens.objects.exists()


def test_four_failures_lock_out_that_account_from_that_address_and_no_other(accounts, browser):
    email = accounts.add("staff")
    for _ in range(4):
        sign_in(browser, email, "wrong", REMOTE_ADDR="203.0.113.1")
    asked = len(accounts.asked)
    locked = sign_in(browser, email.upper(), REMOTE_ADDR="203.0.113.1")
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert len(accounts.asked) == asked
    assert sign_in(browser, accounts.add("staff"), REMOTE_ADDR="203.0.113.1").status_code == 302
    assert sign_in(browser, email, REMOTE_ADDR="203.0.113.2").status_code == 302


def test_a_network_of_ipv6_is_one_address(accounts, browser):
    email = accounts.add("staff")
    for host in ("0:0:0:1", "0:0:0:2", "a:b:c:d", "ffff:ffff:ffff:ffff"):
        sign_in(browser, email, "wrong", REMOTE_ADDR=f"2001:db8:1:2:{host}")
    assert sign_in(browser, email, REMOTE_ADDR="2001:db8:1:2::9").status_code == 429
    assert sign_in(browser, email, REMOTE_ADDR="2001:db8:1:3::9").status_code == 302


def test_a_failed_try_keeps_neither_password_nor_code(accounts, browser):
    sign_in(browser, accounts.add("staff", totp=True), "canary-password", "canary-code")
    kept = AccessAttempt.objects.get()
    assert "canary" not in f"{kept.post_data} {kept.get_data} {kept.path_info}"


def test_a_local_account_is_never_taken_over_by_one_of_user_service(accounts, browser):
    email = accounts.add("admin")
    get_user_model().objects.create_superuser(accounts.accounts[email]["user_id"], "x@example.com", "another-password")
    assert sign_in(browser, email).status_code == 200
    assert not is_in(browser)


def test_cookies_are_for_this_site_and_not_for_scripts(accounts, browser, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    browser.get("/admin/login/")
    sign_in(browser, accounts.add("staff"))
    for name in ("sessionid", "csrftoken"):
        cookie = browser.cookies[name]
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")


def test_the_page_after_signing_in_is_one_of_ours(accounts, browser):
    answer = browser.post(
        "/admin/login/", {"username": accounts.add("staff"), "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/admin/"


@pytest.mark.parametrize("path", ["/admin/login/", "/orders", "/docs", "/no-such-page"])
def test_every_page_has_a_strict_policy_and_no_inline_script(config, path):
    answer = WerkzeugClient(create_app(config)).get(path, headers={"Accept": "text/html"})
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.mimetype == "text/html"
    assert "<script>" not in answer.text
    assert " onclick=" not in answer.text
