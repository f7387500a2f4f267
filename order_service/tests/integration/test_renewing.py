"""Access tokens that expire during a session of the desk: renewed once for all requests, each refresh token used once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from libs.values.times import now
from order_service.desk.models import StaffTokens
from order_service.desk.sign_in import token_store
from order_service.tests.integration.neighbours import sign_in
from order_service.worker.retention import purge_sign_ins

PAGE = "/admin/products/"


@pytest.fixture
def staff(accounts, products, browser):
    products.add("Brass lamp")
    sign_in(browser, accounts.add("staff"))
    return browser


def kept_by(browser):
    return token_store.read(browser.session["desk"]["tokens"])


def another_tab(browser):
    tab = Client(headers={"accept": "text/html"})
    tab.cookies = browser.cookies
    return tab


def look_in_threads(tabs):
    """The responses to tabs that request the page at the same time."""

    def look(tab):
        try:
            return tab.get(PAGE)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tabs)) as pool:
        return list(pool.map(look, tabs))


@pytest.mark.django_db
def test_an_access_token_that_has_ended_is_renewed_and_kept(staff, accounts):
    first = kept_by(staff)
    accounts.valid.clear()
    assert "Brass lamp" in staff.get(PAGE).content.decode()
    second = kept_by(staff)
    assert first.access != second.access
    assert first.refresh != second.refresh
    assert "Brass lamp" in staff.get(PAGE).content.decode()
    assert accounts.renewals() == 1


@pytest.mark.django_db
def test_a_login_that_has_ended_leads_to_signing_in_and_back(staff, accounts):
    accounts.valid.clear()
    accounts.refresh_tokens.clear()
    answer = staff.get(f"{PAGE}?sort=stock", follow=True)
    assert answer.redirect_chain == [(f"/admin/login/?next={PAGE}%3Fsort%3Dstock", 302)]
    assert "Sign in again." in answer.content.decode()
    assert not Session.objects.exists()
    assert not StaffTokens.objects.exists()
    assert staff.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_a_token_that_is_refused_though_it_is_new_ends_the_session(staff, accounts, products):
    products.refuse = 401, {"code": "not-authenticated"}
    assert staff.get(PAGE).status_code == 302
    assert accounts.renewals() == 1
    assert staff.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_a_session_without_its_tokens_ends(staff):
    StaffTokens.objects.filter(pk=staff.session["desk"]["tokens"]).delete()
    assert staff.get(PAGE).status_code == 302
    assert staff.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_while_user_service_is_unavailable_the_refresh_token_stays_for_later(staff, accounts, settings):
    address, settings.USER_SERVICE_URL = settings.USER_SERVICE_URL, "http://127.0.0.1:1"
    accounts.valid.clear()
    assert "The account service does not respond" in staff.get(PAGE).content.decode()
    settings.USER_SERVICE_URL = address
    assert "Brass lamp" in staff.get(PAGE).content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_pages_that_find_the_token_ended_one_renews_it_for_both(staff, accounts, products):
    accounts.valid.clear()
    products.before_refusing = threading.Barrier(2, timeout=10).wait  # both have sent the old token
    tabs = [staff, another_tab(staff)]
    assert [answer.status_code for answer in look_in_threads(tabs)] == [200, 200]
    assert accounts.renewals() == 1
    accounts.valid.clear()
    products.before_refusing = lambda: None
    for tab in tabs:  # neither request has put back the tokens that it began with
        assert "Brass lamp" in tab.get(PAGE).content.decode()
    assert accounts.renewals() == 2


@pytest.mark.django_db(transaction=True)
def test_a_page_does_not_wait_for_ever_for_the_one_that_renews(staff, accounts):
    accounts.valid.clear()
    renewing, go_on = threading.Event(), threading.Event()
    accounts.before_renewing = lambda: (renewing.set(), go_on.wait(10))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(look_in_threads, [another_tab(staff)])
        assert renewing.wait(10)
        assert "The account service does not respond" in staff.get(PAGE).content.decode()
        go_on.set()
        assert "Brass lamp" in slow.result()[0].content.decode()
    assert accounts.renewals() == 1


@pytest.mark.django_db
def test_the_worker_deletes_tokens_that_have_expired(staff):
    expired = StaffTokens.objects.create(key="x", access="a", refresh="r", expires_at=now() - timedelta(seconds=1))
    assert purge_sign_ins() == 1
    assert not StaffTokens.objects.filter(pk=expired.pk).exists()
    assert kept_by(staff).access
