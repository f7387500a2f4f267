"""The mails as people see them, and the page where staff see them first."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.desk import sign_in
from tests.browser.watch import Watch, assert_for_everybody, grave_findings, too_wide
from tests.e2e.conftest import Town

MAILS = "/admin/emails/"
KINDS = ("user-registered", "order-placed", "order-rejected", "password-reset", "password-changed", "test")
"""One of each template, and one with an explanation: for accessibility they stand for all."""


def test_staff_look_at_a_mail_on_a_phone_in_the_dark(page: Page, town: Town) -> None:
    sign_in(page, town.staff(), MAILS)
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


def test_the_page_of_mails_is_for_everybody(page: Page, town: Town) -> None:
    sign_in(page, town.staff(), MAILS)
    assert_for_everybody(page, town.shop.url("order", MAILS))


def test_a_browser_without_a_token_is_led_to_the_desk_and_back_to_the_mails(
    page: Page, watch: Watch, town: Town
) -> None:
    address = town.shop.url("notification", "/emails")
    with watch.expecting("status of 401"):
        assert_for_everybody(page, address)
    staff = town.staff()
    page.get_by_role("link", name="Show the mails").click()
    page.get_by_label("E-mail address").fill(staff.email)
    page.get_by_label("Password").fill(staff.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{MAILS}")
    expect(page.get_by_role("navigation", name="Kinds of mail")).to_be_visible()


def test_each_mail_fits_a_phone_with_fifty_lines_and_names_that_break_nowhere(page: Page, town: Town) -> None:
    for mail in town.staff().call("notification", "GET", "/emails?sample=large").json["results"]:
        page.set_content(mail["html"])
        for width in (800, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert too_wide(page) == 0, (mail["kind"], width)


def test_mails_are_for_everybody(page: Page, town: Town) -> None:
    staff = town.staff()
    for kind in KINDS:
        page.set_content(staff.call("notification", "GET", f"/emails/{kind}").json["html"])
        page.emulate_media(color_scheme="light")
        assert grave_findings(page) == [], kind
        page.emulate_media(color_scheme="dark")
        assert grave_findings(page, "color-contrast") == [], kind


def test_the_mail_that_arrives_is_the_same_as_its_preview(page: Page, town: Town) -> None:
    ada = town.customer()
    lamp = town.product(town.staff(), name="<b>Lamp</b> 💡 مصباح")
    order = ada.order(lamp)
    page.set_content(town.mail(ada, "Order Confirmation").html)
    expect(page.get_by_role("cell", name=lamp["name"])).to_be_visible()
    expect(page.get_by_text(f"Order #{order['id']}")).to_be_visible()
    expect(page.get_by_role("heading", name="Thank you for your order")).to_be_visible()
