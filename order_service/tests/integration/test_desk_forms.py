"""The desk's forms: sent twice, sent after the session has ended, and sent from a page that is too old."""

import html
import re
import threading
import time

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.test import Client

from libs.access.revocations import Revocation
from libs.values.times import now
from order_service.desk.sign_in import unsent
from order_service.store.models import IdempotencyKey, MailRequest, Order, OrderNote, Outbox
from order_service.store.worker_tables import stored_revocations
from order_service.tests.integration.neighbours import PASSWORD, sign_in
from order_service.tests.integration.stock import apply_stock_reply

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


def at(order, form="change"):
    return f"{LIST}{order}/{form}/"


def texts(answer):
    found = re.findall(r'<li class="desk-message \w+">(.*?)</li>', answer.content.decode(), re.DOTALL)
    return [html.unescape(text) for text in found]


def fields(page, action):
    """The hidden fields of the page's form with this address."""
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'action="{action}"' in form)
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    assert {"csrfmiddlewaretoken", "key"} <= {name for name, _ in found}
    return dict(found)


@pytest.fixture
def twice(sit_down):
    """`twice(page, action, fields)`: the answers to one form that is sent twice, without its token against forged requests."""

    def send(page, action, given, keep=("key",)):
        desk = sit_down("staff")
        hidden = fields(desk.get(page).content.decode(), action)
        data = {name: value for name, value in hidden.items() if name in keep} | given
        return [desk.post(action, data, follow=True) for _ in range(2)]

    return send


@pytest.mark.parametrize("keep", [("key",), ("csrfmiddlewaretoken",)])
def test_a_mail_is_sent_again_once(twice, customer, place, keep):
    order = place(customer)
    answers = twice(at(order), at(order, "mail"), {"kind": "order-placed"}, keep)
    assert [texts(answer) for answer in answers] == [["The mail will be resent"]] * 2
    assert MailRequest.objects.filter(order_id=order).count() == 1
    assert Outbox.objects.filter(topic="mail-resend-requested").count() == 1


def test_a_note_is_added_once_and_another_text_is_another_note(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    key = fields(desk.get(at(order)).content.decode(), at(order, "note"))["key"]
    for text in ("Ring twice", "Ring twice", "Ring three times"):
        assert texts(desk.post(at(order, "note"), {"text": text, "key": key}, follow=True)) == ["The note was added"]
    assert list(OrderNote.objects.values_list("text", flat=True)) == ["Ring twice", "Ring three times"]


def test_a_status_is_set_once_and_the_second_answer_is_no_error(twice, customer, place_confirmed):
    order = place_confirmed(customer)
    answers = twice(at(order), at(order, "status"), {"status": "shipped"})
    assert [texts(answer) for answer in answers] == [[f"Order {order} is shipped now"]] * 2


def test_an_action_on_many_orders_gives_the_same_result_twice(sit_down, customer, place_confirmed):
    desk, order = sit_down("staff"), place_confirmed(customer)
    asked = desk.post(LIST, {"action": "make_shipped", "_selected_action": [order]}).content.decode()
    answers = [desk.post(LIST, fields(asked, LIST), follow=True) for _ in range(2)]
    first, second = [texts(answer) for answer in answers]
    assert first == second
    assert "1 of 1 order was shipped" in first[0]


def test_an_account_is_changed_once(accounts, browser):
    sign_in(browser, accounts.add("staff"))
    other = accounts.accounts[accounts.add()]["user_id"]
    page = f"/admin/users/{other}/"
    hidden = re.findall(r'name="(key|change)" value="([^"]+)"', browser.get(f"{page}?change=disable").content.decode())
    answers = [browser.post(page, dict(hidden), follow=True) for _ in range(2)]
    assert "is disabled" in texts(answers[0])[0]
    assert texts(answers[1]) == ["The form was sent twice, and it has acted once."]
    assert not IdempotencyKey.objects.filter(response__contains="is disabled").exists()  # it names a person
    assert [asked.method for asked in accounts.asked].count("PATCH") == 1


def test_a_form_of_the_admin_acts_once_by_its_token(desk):
    get_user_model()
    row = AccessAttempt.objects.create(
        username="x", ip_address="203.0.113.1", attempt_time=now(), failures_since_start=1
    )
    page = f"/admin/axes/accessattempt/{row.pk}/delete/"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', desk.get(page).content.decode())[1]
    answers = [desk.post(page, {"post": "yes", "csrfmiddlewaretoken": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]


def test_a_form_with_an_error_may_be_sent_again(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    for _ in range(2):
        answer = desk.post(at(order, "note"), {"text": "", "key": "one"})
        assert "This field is required." in answer.content.decode()
    assert texts(desk.post(at(order, "note"), {"text": "now", "key": "one"}, follow=True)) == ["The note was added"]


def test_a_form_that_was_refused_acts_when_it_is_sent_again(sit_down, customer, place):
    desk, order = sit_down("staff"), place(customer)
    form = {"status": "shipped", "key": "one"}
    refused = texts(desk.post(at(order, "status"), form, follow=True))
    assert refused == [f"Order {order}: A pending order can't become shipped. Nothing was changed."]
    apply_stock_reply(order_id=order, rejection=None)
    assert texts(desk.post(at(order, "status"), form, follow=True)) == [f"Order {order} is shipped now"]


def test_an_account_is_disabled_by_a_form_that_another_service_did_not_answer_before(accounts, browser, settings):
    sign_in(browser, accounts.add("staff"))
    other = accounts.accounts[accounts.add()]["user_id"]
    page, form = f"/admin/users/{other}/", {"change": "disable", "key": "one"}
    address, settings.USER_SERVICE_URL = settings.USER_SERVICE_URL, "http://127.0.0.1:1"
    assert browser.post(page, form).status_code == 302
    settings.USER_SERVICE_URL = address
    assert "does not respond" in texts(browser.get(page))[0]
    assert "is disabled" in texts(browser.post(page, form, follow=True))[0]


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_moment_act_once(desk, customer, place):
    order, cookies, answers = place(customer), desk.cookies, []

    def send():
        browser = Client(headers={"accept": "text/html"})
        browser.cookies = cookies.copy()
        answers.append(browser.post(at(order, "mail"), {"kind": "order-placed", "key": "one"}).status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4
    assert MailRequest.objects.filter(order_id=order).count() == 1


@pytest.mark.parametrize(
    ("form", "given", "sentence"),
    [
        ("note", {"text": "Ring twice"}, "Your note was not added."),
        ("mail", {"kind": "order-placed"}, "The mail was not sent again."),
        ("status", {"status": "cancelled"}, "The status of the order was not changed."),
    ],
)
def test_a_form_of_an_ended_session_leads_back_to_its_page_and_says_what_was_not_done(
    accounts, browser, customer, place, form, given, sentence
):
    order, email = place(customer), accounts.add("staff")
    answer = browser.post(at(order, form), given)
    assert answer.status_code == 302
    page = browser.get(answer["Location"])
    assert texts(page) == ["You are not signed in any more. Sign in, and send the form again.", sentence]
    back = sign_in(browser, email, path=answer["Location"])["Location"]
    assert back == at(order)
    shown = browser.get(back)
    assert shown.status_code == 200
    assert Order.objects.get(pk=order).status == "pending"
    assert not OrderNote.objects.exists()
    if form == "note":
        assert ">\nRing twice</textarea>" in shown.content.decode() or "Ring twice</textarea>" in shown.content.decode()
        assert "Ring twice" not in browser.get(back).content.decode()  # shown once


def test_a_long_text_is_not_kept_and_the_sentence_is_still_there(browser, customer, place):
    order = place(customer)
    answer = browser.post(at(order, "note"), {"text": "".join(map(chr, range(0x4E00, 0x4E00 + 2000)))}, follow=True)
    assert "Your note was not added." in texts(answer)
    assert unsent.COOKIE not in browser.cookies


def test_a_page_of_the_desk_that_posts_to_itself_leads_back_too(accounts, products, browser):
    page = "/admin/products/000000000000000000000000/"
    answer = browser.post(page, {"delta": "12", "reason": "delivery"}, follow=True)
    assert "The stock was not changed." in texts(answer)
    answer = browser.post(f"{LIST}?status__exact=pending", {"action": "make_shipped"})
    assert answer["Location"].endswith("?next=/admin/orders/order/%3Fstatus__exact%3Dpending")


@pytest.mark.parametrize("whose", ["account", "login"])
def test_the_page_says_why_a_login_has_ended(accounts, browser, read_revocations, whose):
    email = accounts.add("staff")
    sign_in(browser, email)
    account = accounts.accounts[email]
    sid = None if whose == "account" else account["sid"]
    stored_revocations.add([Revocation(account["user_id"], sid, round(time.time() * 1000) + 1)])
    [text] = texts(browser.get("/admin/", follow=True))
    reason = "your password, your roles or the state of your account changed" if sid is None else "was ended elsewhere"
    assert reason in text


def test_a_form_of_a_login_that_was_ended_says_both(accounts, browser, read_revocations, customer, place):
    email, order = accounts.add("staff"), place(customer)
    sign_in(browser, email)
    later = round(time.time() * 1000) + 1
    stored_revocations.add([Revocation(accounts.accounts[email]["user_id"], None, later)])
    first, second = texts(browser.post(at(order, "note"), {"text": "x"}, follow=True))
    assert "your roles" in first
    assert second == "Your note was not added."


def test_the_page_says_that_a_login_is_eight_hours_old(accounts, browser, monkeypatch):
    sign_in(browser, accounts.add("staff"))
    monkeypatch.setattr("order_service.desk.sign_in.staff_login.MAX_AGE_MS", 0)
    assert "8 hours ago" in texts(browser.get("/admin/", follow=True))[0]


def test_the_sign_in_form_in_two_tabs_gives_words_and_a_fresh_form(accounts):
    email, browser = accounts.add("staff"), Client(headers={"accept": "text/html"}, enforce_csrf_checks=True)
    page = "/admin/login/?next=/admin/orders/order/"

    def token():
        return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(page).content.decode())[1]

    def send(token):
        given = {"username": email, "password": PASSWORD, "code": "", "csrfmiddlewaretoken": token}
        return browser.post(page, given | {"next": "/admin/orders/order/"})

    one, two = token(), token()
    assert send(one).status_code == 302
    stale = send(two)
    assert stale.status_code == 403
    assert "The form was too old" in texts(stale)[0]
    assert "You are signed in as" in texts(stale)[1]
    shown = stale.content.decode()
    assert f'value="{email}"' in shown
    assert PASSWORD not in shown
    fresh = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)[1]
    assert re.search(r'name="next" value="([^"]*)"', shown)[1] == "/admin/orders/order/"
    assert send(fresh)["Location"] == "/admin/orders/order/"


def test_a_form_that_is_older_than_the_sign_in_says_what_was_not_done(accounts, browser, customer, place):
    order = place(customer)
    sign_in(browser, accounts.add("staff"))
    browser.handler.enforce_csrf_checks = True
    answer = browser.post(at(order, "note"), {"text": "x", "csrfmiddlewaretoken": "x" * 64})
    assert answer.status_code == 403
    shown = answer.content.decode()
    assert "Your note was not added." in shown
    assert f'href="{at(order)}"' in shown


def test_an_old_form_of_a_signed_out_browser_leads_to_the_sign_in(customer, place):
    order, browser = place(customer), Client(headers={"accept": "text/html"}, enforce_csrf_checks=True)
    answer = browser.post(at(order, "note"), {"text": "x"})
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={at(order)}")
    assert "Your note was not added." in texts(browser.get(answer["Location"]))


def test_a_link_to_the_sign_out_ends_no_login(accounts, browser):
    sign_in(browser, accounts.add("staff"))
    assert browser.get("/admin/logout/")["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
