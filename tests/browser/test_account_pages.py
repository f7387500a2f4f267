"""The pages that mail links open."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.watch import Watch, assert_for_everybody
from tests.e2e.conftest import Person, Town


def mail_link(town: Town, person: Person, subject: str) -> str:
    """The link of a mail, as its button has it."""
    found = re.search(r'href="([^"]+\?token=[^"]+)"', town.mail(person, subject).html)
    assert found
    return found[1]


def test_an_address_is_verified_once_by_the_link_of_a_mail(page: Page, watch: Watch, town: Town) -> None:
    ada = town.customer()
    link = mail_link(town, ada, "Verify your e-mail address")
    page.goto(link)
    page.get_by_role("button", name="Verify my address").click()
    expect(page.get_by_role("status")).to_have_text("Your e-mail address is verified.")
    assert ada.call("user", "GET", "/users/me").json["emailVerified"] is True
    assert "token" not in page.url
    page.goto(link)
    with watch.expecting("status of 400"):
        page.get_by_role("button", name="Verify my address").click()
        expect(page.get_by_role("status")).to_contain_text("used already or has expired")


def test_a_forgotten_password_is_set_anew_by_the_link_of_a_mail(page: Page, watch: Watch, town: Town) -> None:
    ada = town.customer()
    assert ada.call("user", "POST", "/password-reset", {"email": ada.email}).status == 202
    page.goto(mail_link(town, ada, "Reset your password"))
    first, again = page.get_by_label("New password", exact=True), page.get_by_label("Repeat the new password")
    button, said = page.get_by_role("button", name="Set password"), page.get_by_role("status")
    first.fill("Another-horse-1")
    again.fill("Another-horse-2")
    button.click()
    expect(said).to_have_text("The two passwords are not the same.")
    first.fill("password1")
    again.fill("password1")
    with watch.expecting("status of 400"):
        button.click()
        expect(said).to_contain_text("one of the commonest passwords")
    first.fill("Another-horse-1")
    again.fill("Another-horse-1")
    button.click()
    expect(said).to_contain_text("Your password is set.")
    ada.password = "Another-horse-1"
    ada.log_in()


def test_the_pages_are_for_everybody(page: Page, town: Town) -> None:
    for path in ("/verify-email?token=x", "/password-reset?token=x", "/verify-email"):
        assert_for_everybody(page, town.shop.url("user", path))
