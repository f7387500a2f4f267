"""The mails as people see them, and the page where staff see them first."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.watch import Watch, grave_findings, too_wide
from tests.e2e.conftest import Town

KINDS = ("user-registered", "order-placed", "order-rejected", "password-reset", "test")
"""One of each template, and one with an explanation: for accessibility they stand for all."""


def open_previews(page: Page, watch: Watch, town: Town) -> None:
    """As staff do, with a token."""
    with watch.expecting("status of 401"):
        page.goto(town.shop.url("notification", "/emails"))
    page.get_by_label("Access token").fill(town.staff().token)
    page.get_by_role("button", name="Show the mails").click()
    expect(page.get_by_role("heading", name="Mails")).to_be_visible()


def test_staff_look_at_a_mail_on_a_phone_in_the_dark(page: Page, watch: Watch, town: Town) -> None:
    open_previews(page, watch, town)
    page.get_by_role("link", name="is on its way").click()
    for choice in ("Phone", "Dark", "Large"):
        page.get_by_role("group").get_by_role("link", name=choice).click()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="Your order is on its way")).to_be_visible()
    assert mail.locator("body").evaluate("body => [innerWidth, getComputedStyle(body).backgroundColor]") == [
        390,
        "rgb(16, 21, 29)",
    ]
    assert mail.locator("html").evaluate("html => html.scrollWidth - html.clientWidth") == 0
    page.get_by_role("link", name="Text", exact=True).click()
    expect(page.get_by_text("Hello a-user.name_with-30-characters.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_mails_can_be_read_by_everybody(page: Page, watch: Watch, town: Town, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 800})
    with watch.expecting("status of 401"):
        page.goto(town.shop.url("notification", "/emails"))
    assert (grave_findings(page), too_wide(page)) == ([], 0)
    open_previews(page, watch, town)
    assert (grave_findings(page), too_wide(page)) == ([], 0)


def test_a_token_that_is_none_is_refused_in_words(page: Page, watch: Watch, town: Town) -> None:
    with watch.expecting("status of 401"):
        page.goto(town.shop.url("notification", "/emails"))
        page.get_by_label("Access token").fill("x")
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_contain_text("not valid")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_mail_fits_a_phone_and_can_be_read_by_everybody(page: Page, town: Town, scheme: str) -> None:
    """The samples are of the large kind: fifty lines, names with nowhere to break, markup, other letters."""
    page.emulate_media(color_scheme=scheme)
    for mail in town.staff().call("notification", "GET", "/emails?sample=large").json["results"]:
        page.set_viewport_size({"width": 390, "height": 800})
        page.set_content(mail["html"])
        assert too_wide(page) == 0, mail["kind"]
        if mail["kind"] in KINDS:
            assert grave_findings(page) == [], mail["kind"]
        page.set_viewport_size({"width": 800, "height": 800})
        assert too_wide(page) == 0, mail["kind"]


def test_the_mail_that_comes_looks_like_its_preview(page: Page, town: Town) -> None:
    ada = town.customer()
    lamp = town.product(town.staff(), name="<b>Lamp</b> 💡 مصباح")
    order = ada.order(lamp)
    page.set_content(town.mail(ada, "Order Confirmation").html)
    expect(page.get_by_role("cell", name=lamp["name"])).to_be_visible()
    expect(page.get_by_text(f"Order #{order['id']}")).to_be_visible()
    expect(page.get_by_role("heading", name="Thank you for your order")).to_be_visible()
