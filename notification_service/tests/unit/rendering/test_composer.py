"""The texts of the mails and their markup."""

import re
from dataclasses import replace

import pytest

from libs.values.money import Money
from libs.values.time_zone import read_time_zone
from notification_service.api.sample_data import LARGE_LINK, LINK, NAMES, ORDER, SAMPLES
from notification_service.domain.mail import OrderLine, PriceChange, Shortage
from notification_service.domain.mail_kinds import GENERAL_NOTICE, KINDS, NOTICE_KINDS
from notification_service.worker.process import make_composer

SUBJECTS = {
    "user-registered": "Welcome to MicroShop, ada!",
    "order-placed": "Order Confirmation - #01K8ZC4M7RXW2Q5T9V3B6H1N0D",
    "order-confirmed": "Your order #01K8ZC4M7RXW2Q5T9V3B6H1N0D is reserved",
    "order-rejected": "Your order #01K8ZC4M7RXW2Q5T9V3B6H1N0D could not be filled",
    "order-shipped": "Your order #01K8ZC4M7RXW2Q5T9V3B6H1N0D is on its way",
    "order-delivered": "Your order #01K8ZC4M7RXW2Q5T9V3B6H1N0D was delivered",
    "order-cancelled": "Your order #01K8ZC4M7RXW2Q5T9V3B6H1N0D was cancelled",
    "password-reset": "Reset your password",
    "verify-email": "Verify your e-mail address",
    "password-changed": "Your password was changed",
    "email-changed": "Your e-mail address was changed",
    "authenticator-added": "An authenticator was added",
    "authenticator-removed": "An authenticator was removed",
    "account-changed": "Your account was changed",
    "test": "Test mail from MicroShop",
}
ORDER_KINDS = [kind for kind in SUBJECTS if kind.startswith("order-")]


def compose(composer, kind, **changes):
    content = replace(SAMPLES["usual"][kind], **changes)
    return composer.compose(kind, event_id="e1", recipient="ada@example.com", content=content)


def compose_large(composer, kind):
    return composer.compose(kind, event_id="e1", recipient="ada@example.com", content=SAMPLES["large"][kind])


def test_the_contract_has_the_subject_of_each_kind():
    assert set(KINDS) == set(SUBJECTS)


@pytest.mark.parametrize(("kind", "subject"), SUBJECTS.items())
def test_subjects_are_those_of_the_contract(composer, kind, subject):
    assert compose(composer, kind).subject == subject


@pytest.mark.parametrize("kind", SUBJECTS)
def test_both_parts_greet_by_name_and_name_the_shop(composer, kind):
    mail = compose(composer, kind)
    for part in (mail.text, mail.html):
        assert "ada" in part
        assert "MicroShop" in part


@pytest.mark.parametrize("kind", ORDER_KINDS)
def test_order_mails_list_lines_and_total_in_both_parts(composer, kind):
    mail = compose(composer, kind)
    plain = re.sub(r"<[^>]+>", " ", mail.html.replace("&amp;", "&"))
    for part in (mail.text, plain):
        assert ORDER.order_id in part
        assert "91.70 USD" in part
        for line in ORDER.lines:
            assert line.name in part
            assert str(line.unit_price) in part
            assert f"{line.line_total} USD" in part


@pytest.mark.parametrize("kind", SUBJECTS)
def test_css_is_inlined_and_nothing_is_loaded_from_elsewhere(composer, kind):
    html = compose(composer, kind).html
    assert "<h1 style=" in html
    assert "prefers-color-scheme: dark" in html
    own_pages = "http://127.0.0.1:4000/"
    assert not re.search(r"<(img|link|script)|url\(|@import|https?:", html.replace(own_pages, ""))


@pytest.mark.parametrize("kind", ["password-reset", "verify-email"])
def test_a_link_leads_to_the_page_of_its_kind_on_the_shops_address_or_user_services(composer, config, kind):
    public = make_composer(config.model_copy(update={"public_url": "https://shop.example/"}))
    for by, base in ((composer, "http://127.0.0.1:4000"), (public, "https://shop.example")):
        mail = compose(by, kind)
        link = f"{base}/{kind}?token={LINK.token}"
        assert link in mail.text
        assert f'href="{link}"' in mail.html
        assert "31 January 2026, 13:00 UTC" in mail.text


def test_times_are_those_of_the_shop_and_name_their_zone(config):
    berlin = make_composer(config.model_copy(update={"shop_time_zone": read_time_zone("Europe/Berlin")}))
    for kind in ("password-reset", "password-changed"):
        mail = compose(berlin, kind)
        for part in (mail.text, mail.html):
            assert re.search(r"31 January 2026, 1[34]:00 \(Europe/Berlin\)", part)
            assert "UTC" not in part


def test_markup_in_a_product_name_is_only_text(composer):
    price = Money.parse("1.00", "USD")
    name = "<script>alert(1)</script> {{ 7 * 7 }}"
    lines = (OrderLine(name=name, quantity=1, unit_price=price, line_total=price),)
    mail = compose(composer, "order-placed", lines=lines)
    assert "<script" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 * 7 }}" in mail.html
    assert "<script>alert(1)</script> {{ 7 * 7 }}" in mail.text


@pytest.mark.parametrize("kind", SUBJECTS)
def test_the_text_part_is_78_columns_wide_but_for_addresses(composer, kind):
    for mail in (compose(composer, kind), compose_large(composer, kind)):
        assert [line for line in mail.text.splitlines() if len(line) > 78 and not line.startswith("http")] == []


@pytest.mark.parametrize("kind", ORDER_KINDS)
def test_a_mail_shows_fifty_lines_with_names_of_the_maximum_length(composer, kind):
    mail = compose_large(composer, kind)
    assert max(map(len, NAMES)) == 200
    short = len(SAMPLES["large"][kind].shortages)
    assert mail.html.count("<bdi>") - short == mail.text.count("1000 x 99999.99 USD = 99999990.00 USD") == 50
    assert NAMES[1] in re.sub(r"\n  ", "", mail.text)
    assert "<script" not in mail.html


@pytest.mark.parametrize("kind", ["password-reset", "verify-email"])
def test_a_long_link_is_never_broken(composer, kind):
    assert f"token={LARGE_LINK.token}\n" in compose_large(composer, kind).text


@pytest.mark.parametrize("kind", SUBJECTS)
def test_only_data_tables_have_a_table_role_and_outlook_gets_a_fixed_width(composer, kind):
    html = compose(composer, kind).html
    data = [tag for tag in re.findall(r"<table[^>]*>", html) if 'role="presentation"' not in tag]
    assert len(data) == (kind in ORDER_KINDS)
    assert '<html lang="en" dir="ltr">' in html
    assert '<!--[if mso]><table role="presentation" width="600"' in html


def test_the_same_event_gets_the_same_message_id_and_another_event_or_kind_another(composer, config):
    first, again = compose(composer, "order-placed"), compose(composer, "order-placed")
    other = composer.compose("order-placed", event_id="e2", recipient="ada@example.com", content=ORDER)
    assert first.message_id == again.message_id
    assert len({first.message_id, other.message_id, compose(composer, "order-confirmed").message_id}) == 3
    domain = config.from_email.rpartition("@")[2]
    assert re.fullmatch(rf"<[0-9a-f]{{64}}@{re.escape(domain)}>", first.message_id)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("out_of_stock", "out of stock"),
        ("price_changed", "price changed"),
        ("withdrawn", "no longer sold"),
        ("timeout", "in time"),
        ("x-internal", None),
    ],
)
def test_a_mail_shows_the_reasons_that_concern_customers(composer, reason, said):
    mail = compose(composer, "order-rejected", reason=reason)
    for part in (mail.text, mail.html):
        assert said is None or said in part
        assert reason not in part


@pytest.mark.parametrize(
    ("kind", "reached"), [("order-placed", 1), ("order-confirmed", 2), ("order-shipped", 3), ("order-delivered", 4)]
)
def test_the_progress_of_an_order_is_shown(composer, kind, reached):
    assert len(re.findall(r'class="step reached"', compose(composer, kind).html)) == reached


@pytest.mark.parametrize("kind", ["order-rejected", "order-cancelled", "user-registered"])
def test_other_mails_show_no_progress(composer, kind):
    assert 'class="step' not in compose(composer, kind).html


def test_mails_link_to_the_shop_when_its_address_is_known(config):
    composer = make_composer(
        config.model_copy(update={"public_url": "https://shop.example/", "shop_name": "Ann & Bob"})
    )
    mail = compose(composer, "user-registered")
    assert mail.subject == "Welcome to Ann & Bob, ada!"
    assert 'href="https://shop.example"' in mail.html
    assert "Ann &amp; Bob" in mail.html
    assert "Visit Ann & Bob: https://shop.example\n" in mail.text


@pytest.mark.parametrize(("left", "text"), [(0, "None is left."), (1, "1 is left."), (1200, "1,200 are left.")])
def test_the_mail_of_a_rejected_order_names_each_line_that_is_short(composer, left, text):
    shortages = (Shortage(name="Lamp & shade", wanted=1500, available=left),)
    mail = compose(composer, "order-rejected", reason="out_of_stock", shortages=shortages)
    for part in (mail.text, mail.html.replace("&amp;", "&")):
        assert "Some of the goods are out of stock." in part
        assert "Lamp & shade" in part
        assert f"You ordered 1,500. {text}" in part


def test_the_mail_of_a_rejected_order_names_each_line_that_is_no_longer_sold(composer):
    shortages = (
        Shortage(name="Lamp", wanted=2, available=0, withdrawn=True),
        Shortage(name="Oil", wanted=3, available=1),
    )
    mail = compose(composer, "order-rejected", reason="withdrawn", shortages=shortages)
    for part in (mail.text, mail.html):
        assert "Some of the goods are no longer sold." in part
        assert part.count("It is no longer sold.") == 1
        assert "None is left." not in part
        assert "You ordered 3. 1 is left." in part


def test_the_mail_of_a_rejected_order_names_each_price_that_changed(composer):
    before, now = Money.parse("9.95", "USD"), Money.parse("12.00", "USD")
    changes = (PriceChange(name="Lamp", ordered_at=before, price=now),)
    mail = compose(composer, "order-rejected", reason="price_changed", shortages=(), price_changes=changes)
    for part in (mail.text, mail.html):
        assert "You ordered it at 9.95 USD. It costs 12.00 USD now." in part


@pytest.mark.parametrize("kind", [*sorted(NOTICE_KINDS), GENERAL_NOTICE])
def test_a_notice_says_when_the_account_changed_and_what_to_do(composer, kind):
    mail = compose(composer, kind)
    for part in (mail.text, mail.html):
        assert "31 January 2026, 12:00 UTC" in part
        assert "If it was not you" in part
