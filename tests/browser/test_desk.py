"""What staff do with orders at the desk, and what customers hear of it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.desk import ORDERS, find_orders, open_order, run_action, sign_in
from tests.browser.watch import PHONE, assert_for_everybody, grave_findings, too_wide
from tests.e2e.conftest import Person, Town, wait_for

STEP = 100  # rows that an action changes in one request: MAX_SELECTED of order_service/desk/model_admin.py


def confirmed_order(town: Town, customer: Person, staff: Person, **fields: Any) -> dict[str, Any]:
    """An order whose goods are reserved."""
    order = customer.order(town.product(staff, **fields))
    wait_for(lambda: customer.status_of(order) == "confirmed", "confirmed")
    return order


def test_staff_find_an_order_ship_it_and_the_customer_gets_the_mail(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    order = confirmed_order(town, ada, grace)
    sign_in(page, grace)
    find_orders(page, town.shop, ada.email)
    page.get_by_role("link", name=order["id"]).click()
    page.get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_text(f"Order {order['id']} is shipped now")).to_be_visible()
    assert ada.status_of(order) == "shipped"
    assert order["id"] in town.mail(ada, "is on its way").html

    def is_told() -> bool:
        page.reload()
        return page.get_by_text("Mail sent: order-shipped").is_visible()

    wait_for(is_told, "the mail is in the timeline")
    expect(page.get_by_role("button", name="Ship", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Mark as delivered")).to_be_visible()


def test_an_action_that_came_too_late_says_so_and_changes_nothing(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    order = confirmed_order(town, ada, grace)
    sign_in(page, grace)
    open_order(page, town.shop, order["id"])
    assert ada.call("order", "POST", f"/orders/{order['id']}/cancel").status == 200
    page.get_by_role("button", name="Ship", exact=True).click()
    expect(page.get_by_text("Nothing was changed.")).to_be_visible()
    assert ada.status_of(order) == "cancelled"


def test_one_message_shows_the_result_of_each_of_many_orders(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    first, second = (confirmed_order(town, ada, grace) for _ in range(2))
    assert ada.call("order", "POST", f"/orders/{second['id']}/cancel").status == 200
    sign_in(page, grace)
    find_orders(page, town.shop, ada.email)
    run_action(page, "Ship the selected orders", first["id"], second["id"])
    message = page.get_by_role("status").get_by_role("listitem").first
    expect(message).to_contain_text("1 of 2 orders was shipped. 1 was refused")
    expect(message).to_contain_text(f"Order {second['id']}: A cancelled order can't become shipped")
    page.get_by_text("The orders that were shipped").click()
    expect(message.get_by_text(f"Order {first['id']}")).to_be_visible()


def test_an_action_asks_first_and_no_is_an_answer(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    order = confirmed_order(town, ada, grace)
    sign_in(page, grace)
    find_orders(page, town.shop, ada.email)
    listed = page.url
    page.get_by_role("row", name=order["id"]).get_by_role("checkbox").check()
    page.get_by_role("combobox", name="action").select_option(label="Cancel the selected orders")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Cancel 1 order?")).to_be_visible()
    assert grave_findings(page) == []
    page.set_viewport_size(PHONE)
    assert too_wide(page) == 0
    page.get_by_role("link", name="No, go back").click()
    expect(page).to_have_url(listed)
    assert ada.status_of(order) == "confirmed"


def test_a_note_without_words_is_refused_at_its_field_and_one_with_words_is_kept(page: Page, town: Town) -> None:
    grace = town.colleague()
    order = town.customer().order(town.product(grace))
    sign_in(page, grace)
    open_order(page, town.shop, order["id"])
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    page.get_by_role("textbox", name="Note").fill("Ring twice <b>please</b>")
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_text("Ring twice <b>please</b>").first).to_be_visible()


def test_the_list_is_filtered_by_status(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    kept, gone = (confirmed_order(town, ada, grace) for _ in range(2))
    assert ada.call("order", "POST", f"/orders/{gone['id']}/cancel").status == 200
    sign_in(page, grace)
    find_orders(page, town.shop, ada.email)
    expect(page.get_by_role("link", name=kept["id"])).to_be_visible()
    page.get_by_role("button", name="Filters").press("Enter")  # the keyboard reaches it
    page.get_by_role("link", name="Cancelled", exact=True).click()
    expect(page.get_by_role("link", name=gone["id"])).to_be_visible()
    expect(page.get_by_role("link", name=kept["id"])).to_have_count(0)


def test_the_desk_is_for_everybody(page: Page, town: Town) -> None:
    grace = town.colleague()
    order = town.customer().order(town.product(grace, name="Unbroken" * 25))
    assert_for_everybody(page, town.shop.url("order", "/admin/login/"))
    sign_in(page, grace)
    for path in ("/admin/", f"{ORDERS}?q={order['id']}", f"{ORDERS}{order['id']}/change/"):
        assert_for_everybody(page, town.shop.url("order", path))


def test_an_action_on_all_matches_goes_on_by_itself_until_the_last_step(page: Page, town: Town) -> None:
    ada, grace = town.customer(), town.colleague()
    sold_out = town.product(grace, stock=0)
    orders = [ada.order(sold_out) for _ in range(STEP + 1)]
    wait_for(lambda: ada.call("order", "GET", "/orders?status=pending").json["results"] == [], "all rejected")
    sign_in(page, grace)
    find_orders(page, town.shop, ada.email)
    page.locator("#action-toggle").check()
    page.get_by_text(f"Select all {len(orders)} orders").click()
    page.get_by_role("combobox", name="action").select_option(label="Cancel the selected orders")
    page.get_by_role("button", name="Run").click()
    steps: list[str] = []
    page.on("request", lambda request: steps.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name=f"Yes, cancel {len(orders)} orders").click()
    message = page.get_by_role("status").get_by_role("listitem").first
    expect(message).to_contain_text(f"0 of {len(orders)} orders were cancelled. {len(orders)} were refused")
    assert len(steps) == 2  # the confirmation, and the page between the steps, which no one clicked
