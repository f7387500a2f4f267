"""What each role sees and may do at the desk."""

import re

import pytest
from django.contrib.auth.models import User

from libs.values.times import now
from order_service.store.models import Order, OrderNote, Outbox, OutboxDead
from order_service.tests.integration.bulk import Report, confirm

pytestmark = pytest.mark.django_db

ORDERS = "/admin/orders/order/"
COLUMNS = ("event_id", "topic", "aggregate_id", "sequence", "payload", "headers")


@pytest.fixture
def dead(customer, place):
    row = Outbox.objects.get(aggregate_id=place(customer))
    columns = {name: getattr(row, name) for name in COLUMNS}
    row.delete()
    return OutboxDead.objects.create(**columns, created_at=now(), reason="MSG_SIZE_TOO_LARGE", died_at=now())


def test_viewers_see_no_form_and_no_button(sit_down, dead):
    viewer = sit_down("viewer")
    for path in (ORDERS, f"{ORDERS}{dead.aggregate_id}/change/", "/admin/orders/outboxdead/", "/admin/"):
        html = viewer.get(path).content.decode()
        html = html[html.index('id="main"') :]
        assert not re.findall(r'name="action"|<input[^>]*action-select|name="(?:status|text|kind)"|Export', html), path


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (ORDERS, {"action": "make_cancelled"}),
        ("/admin/orders/outboxdead/", {"action": "resend_selected"}),
        (f"{ORDERS}ID/status/", {"status": "cancelled"}),
        (f"{ORDERS}ID/note/", {"text": "x"}),
        (f"{ORDERS}ID/mail/", {"kind": "order-placed"}),
        (f"{ORDERS}export/", {"format": "0", "resource": "0"}),
    ],
)
def test_what_a_viewer_sends_by_hand_is_refused(sit_down, dead, path, form):
    chosen = dead.pk if "dead" in path else dead.aggregate_id
    path = path.replace("ID", dead.aggregate_id)
    assert sit_down("viewer").post(path, {**form, "_selected_action": chosen}).status_code == 403
    assert Order.objects.get(pk=dead.aggregate_id).status == "pending"
    assert OutboxDead.objects.exists()
    assert not OrderNote.objects.exists()


def test_staff_resend_dead_events_and_edit_none(sit_down, dead):
    staff = sit_down("staff")
    assert "readonly" in (html := staff.get(f"/admin/orders/outboxdead/{dead.pk}/change/").content.decode())
    assert "_save" not in html
    assert staff.post(f"/admin/orders/outboxdead/{dead.pk}/change/", {"topic": "x"}).status_code == 403
    report = confirm(staff, "/admin/orders/outboxdead/", "resend_selected", dead.pk)
    assert report == Report("success", "1 of 1 event was resent.")
    assert Outbox.objects.filter(event_id=dead.event_id).exists()
    assert not OutboxDead.objects.exists()


def test_the_reservation_request_of_a_decided_order_is_not_resent_and_the_page_says_so(sit_down, customer, dead):
    customer.send(f"/orders/{dead.aggregate_id}/cancel", {})
    report = confirm(sit_down("staff"), "/admin/orders/outboxdead/", "resend_selected", dead.pk)
    assert report.head == "0 of 1 event were resent. 1 was left unchanged."
    assert report.rows == (f"Event {dead.event_id}: its order is decided, or it was resent before",)
    assert OutboxDead.objects.filter(pk=dead.pk).exists()


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("staff", 403), ("admin", 200)])
def test_accounts_and_failed_sign_ins_are_for_admins(sit_down, role, status):
    browser = sit_down(role)
    for path in ("/admin/auth/user/", "/admin/auth/group/", "/admin/axes/accessattempt/"):
        assert browser.get(path).status_code == status
        assert (path in browser.get("/admin/").content.decode()) == (status == 200)


@pytest.mark.parametrize("role", ["viewer", "staff", "admin"])
def test_every_role_sees_the_machinery(sit_down, role, sell, dead):
    browser = sit_down(role)
    for name in ("catalogueproduct", "outbox", "outboxdead"):
        assert browser.get(f"/admin/orders/{name}/").status_code == 200
        assert browser.get(f"/admin/orders/{name}/add/").status_code == 403


def test_a_local_account_without_a_role_sees_no_figures(sit_down):
    browser = sit_down("viewer")
    user = browser.session["_auth_user_id"]
    User.objects.get(pk=user).groups.clear()
    assert "may not see orders" in browser.get("/admin/").content.decode()
