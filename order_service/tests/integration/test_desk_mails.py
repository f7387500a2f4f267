"""The mails at the desk, which notification_service composes for the staff member."""

import re

import pytest

from order_service.tests.integration.neighbours import sign_in

pytestmark = pytest.mark.django_db

MAILS = "/admin/emails/"


@pytest.fixture
def viewer(accounts, browser):
    sign_in(browser, accounts.add("viewer"))
    return browser


def page(browser, path=MAILS, status=200):
    answer = browser.get(path)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def test_all_mails_are_listed_and_one_is_in_a_frame_without_rights(viewer, mails):
    answer = viewer.get(f"{MAILS}?kind=order-placed&scheme=dark&sample=large&width=phone")
    html = answer.content.decode()
    assert html.count("<code>") == len(mails.KINDS)
    assert "Subject &lt;of&gt; order-placed" in html
    [frame] = re.findall(r"<iframe ([^>]*)>", html)
    assert " sandbox " in frame
    assert 'src="/admin/emails/order-placed/?sample=large&amp;scheme=dark"' in frame
    assert "desk-mail-phone" in frame
    assert mails.asked[-1].query == {"sample": "large"}
    policy = answer["Content-Security-Policy"]
    assert "frame-src 'self'" in policy
    assert "unsafe-inline" not in policy


def test_the_mail_has_a_policy_of_its_own_and_only_the_desk_may_frame_it(viewer, mails):
    answer = viewer.get(f"{MAILS}order-placed/?sample=large&scheme=dark")
    assert answer.content.decode() == "<p style='color: red'>order-placed, large, dark</p>"
    policy = answer["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'self'", "sandbox"} <= set(policy)
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_the_text_part_is_text(viewer, mails):
    html = page(viewer, f"{MAILS}?part=text")
    assert "Text of user-registered, usual" in html
    assert "<iframe" not in html


def test_an_unknown_choice_is_the_default_and_an_unknown_kind_is_not_found(viewer, mails):
    assert "user-registered/?sample=usual&amp;scheme=light" in page(viewer, f"{MAILS}?sample=x&scheme=x&width=x&part=x")
    page(viewer, f"{MAILS}?kind=x", 404)
    page(viewer, f"{MAILS}x/", 404)
    assert viewer.post(MAILS).status_code == 405


def test_the_staff_member_s_own_token_is_used_and_an_ended_login_leads_to_the_sign_in_page(viewer, accounts, mails):
    page(viewer)
    assert mails.asked[-1].token in accounts.valid
    accounts.valid.clear()
    accounts.refresh_tokens.clear()
    answer = viewer.get(MAILS)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={MAILS}")


def test_without_the_service_the_page_says_so(viewer, settings):
    settings.NOTIFICATION_SERVICE_URL = "http://127.0.0.1:1"
    assert "The mail service does not respond" in page(viewer)
    answer = viewer.get(f"{MAILS}order-placed/")
    assert answer["Content-Type"].startswith("text/plain")
    assert "does not respond" in answer.content.decode()


def test_a_local_account_and_a_stranger_see_none(desk, browser, mails):
    assert "local account" in page(desk)
    assert browser.get(MAILS)["Location"] == f"/admin/login/?next={MAILS}"
    assert mails.asked == []
