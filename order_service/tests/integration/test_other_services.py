"""The desk's pages over products and users. Small servers take the place of their services."""

import re

import pytest

from libs.runtime.telemetry import trace_context
from order_service.desk.remote.low_stock import find_low_stock
from order_service.desk.sign_in import token_store
from order_service.tests.integration.neighbours import problem, sign_in

pytestmark = pytest.mark.django_db

PRODUCTS, USERS = "/admin/products/", "/admin/users/"
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def staff(accounts, browser):
    """A browser of somebody with role staff."""
    sign_in(browser, accounts.add("staff"))
    return browser


@pytest.fixture
def viewer(accounts, browser):
    sign_in(browser, accounts.add("viewer"))
    return browser


def text_of(answer, status=200):
    assert answer.status_code == status, answer.content
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def errors_of(answer, field):
    return [str(error) for error in answer.context["form"].errors.get(field, [])]


def test_products_are_listed_with_their_stock_and_the_filters_are_the_services(staff, products):
    products.add("Brass lamp", stock=7, sku="L-1", category="Light")
    products.add("Oak table", stock=0, active=False)
    page = staff.get(f"{PRODUCTS}?search=lamp&category=Light&active=false&maxStock=10&sort=stock&cursor=here")
    text = text_of(page)
    for shown in ("Brass lamp", "L-1", "19.90 USD", "7 left", "none left", "withdrawn"):
        assert shown in text
    query = {"search": "lamp", "category": "Light", "active": "false", "maxStock": "10", "sort": "stock"}
    assert products.asked[-1].query == query | {"cursor": "here"}
    links = re.findall(r'href="(\?[^"]*cursor=[^"]*)"', page.content.decode())
    assert links == [
        "?search=lamp&amp;category=Light&amp;active=false&amp;maxStock=10&amp;sort=stock&amp;cursor=the-next"
    ]


def test_a_filter_that_the_service_refuses_is_an_error_at_its_field(staff, products):
    row = {"field": "search", "code": "no-word", "message": "A search needs at least one letter or digit"}
    products.refuse = problem(400, "invalid", "Some fields are not valid", errors=[row])
    answer = staff.get(f"{PRODUCTS}?search=!!")
    assert errors_of(answer, "search") == [row["message"]]
    assert row["message"] in text_of(answer)


def test_a_filter_that_is_none_of_the_choices_is_refused_without_asking(staff, products):
    answer = staff.get(f"{PRODUCTS}?sort=password")
    assert errors_of(answer, "sort")
    assert products.asked == []


def test_staff_adjust_the_stock_with_their_own_token_and_see_what_is_left(staff, products, accounts):
    lamp = products.add(stock=12)
    page = f"{PRODUCTS}{lamp['id']}/"
    answer = staff.post(page, {"delta": "-5", "reason": "broken"}, follow=True)
    assert answer.redirect_chain == [(page, 302)]
    assert "Brass lamp: the stock is 7 now" in text_of(answer)
    asked = next(asked for asked in products.asked if asked.method == "POST")
    assert (asked.path, asked.body) == (f"/products/{lamp['id']}/stock", {"delta": -5, "reason": "broken"})
    assert asked.token in accounts.valid
    assert asked.headers["X-Request-ID"]
    assert trace_context.parse(asked.headers["traceparent"])


def test_a_stock_form_that_is_sent_twice_has_the_same_idempotency_key(staff, products):
    lamp = products.add(stock=12)
    page = f"{PRODUCTS}{lamp['id']}/"
    keys = [staff.get(page).context["form"]["key"].value() for _ in range(2)]
    assert keys[0] != keys[1]
    for delta in ("-13", "-5", "-5"):
        answer = staff.post(page, {"delta": delta, "reason": "broken", "key": str(keys[0])})
        if answer.status_code == 200:
            assert f'name="key" value="{keys[0]}"' in answer.content.decode()
    sent = [asked.headers.get("Idempotency-Key") for asked in products.asked if asked.method == "POST"]
    assert sent == [str(keys[0])] * 3


@pytest.mark.parametrize(
    ("delta", "reason", "field", "words"),
    [
        ("-13", "broken", "delta", "The stock would leave its range"),
        ("0", "broken", "delta", "0 changes nothing"),
        ("many", "broken", "delta", "Enter a whole number."),
        ("1_0", "broken", "delta", "Enter a whole number."),
        ("\u0661", "broken", "delta", "Enter a whole number."),
        ("1.0", "broken", "delta", "Enter a whole number."),
        ("9" * 30, "broken", "delta", "Enter a whole number."),
        ("9" * 20, "broken", "delta", "Ensure this value is less than or equal to 10000000."),
        ("1", "", "reason", "This field is required."),
    ],
)
def test_an_impossible_adjustment_is_an_error_at_its_field_and_changes_nothing(
    staff, products, delta, reason, field, words
):
    lamp = products.add(stock=12)
    answer = staff.post(f"{PRODUCTS}{lamp['id']}/", {"delta": delta, "reason": reason})
    assert errors_of(answer, field) == [words]
    assert words in text_of(answer)
    assert lamp["stock"] == 12


def test_a_viewer_may_read_and_a_request_made_by_hand_is_refused(viewer, products, accounts):
    lamp, ada = products.add(stock=12), accounts.accounts[accounts.add()]
    page, account = f"{PRODUCTS}{lamp['id']}/", f"{USERS}{ada['user_id']}/"
    for path in (page, account):
        assert "Your role allows you to see" in text_of(viewer.get(path))
        assert 'method="post"' not in viewer.get(path).content.decode().partition('id="content"')[2]
    asked = len(products.asked)
    assert viewer.post(page, {"delta": "1", "reason": "x"}).status_code == 403
    assert viewer.post(account, {"change": "disable"}).status_code == 403
    assert len(products.asked) == asked
    assert ada["active"]


@pytest.mark.parametrize("path", [PRODUCTS, USERS, f"{PRODUCTS}x/", f"{USERS}x/"])
def test_the_pages_require_signing_in(browser, path):
    answer = browser.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("path", [f"{PRODUCTS}unknown/", f"{USERS}unknown/"])
def test_what_the_service_does_not_know_is_404(staff, products, path):
    assert staff.get(path).status_code == 404


def test_users_are_found_by_address_name_role_and_state(staff, accounts):
    ada = accounts.add()
    assert ada in text_of(staff.get(f"{USERS}?search={ada}&active=true"))
    assert accounts.asked[-1].query == {"search": ada, "active": "true"}
    staff.get(f"{USERS}?role=staff")
    assert accounts.asked[-1].query == {"role": "staff"}


def test_a_customer_is_disabled_after_a_question_and_enabled_again(staff, accounts):
    email = accounts.add()
    ada = accounts.accounts[email]
    page = f"{USERS}{ada['user_id']}/"
    shown = staff.get(page)
    assert f"/admin/orders/order/?user_id={ada['user_id']}" in shown.content.decode()
    assert "Disable this account" in text_of(shown)
    assert "Yes, disable it" in text_of(staff.get(f"{page}?change=disable"))
    assert ada["active"]
    assert "all their logins end now" in text_of(staff.post(page, {"change": "disable"}, follow=True))
    assert not ada["active"]
    assert "Yes, enable it" in text_of(staff.get(f"{page}?change=enable"))
    assert "they can log in again" in text_of(staff.post(page, {"change": "enable"}, follow=True))
    assert ada["active"]
    assert staff.post(page, {"change": "roles"}).status_code == 400


def test_a_refusal_by_user_service_is_shown_in_its_words(staff, accounts):
    boss = accounts.accounts[accounts.add("admin")]
    answer = staff.post(f"{USERS}{boss['user_id']}/", {"change": "disable"}, follow=True)
    assert "Your account may not do this" in text_of(answer)
    assert boss["active"]


@pytest.mark.parametrize("path", [PRODUCTS, USERS, f"{PRODUCTS}x/", f"{USERS}x/"])
def test_an_unavailable_service_is_named_on_the_page_and_is_no_error_of_this_one(staff, settings, path):
    settings.PRODUCT_SERVICE_URL = settings.USER_SERVICE_URL = NOWHERE
    assert "does not respond. Try again in a moment." in text_of(staff.get(path))


def test_a_service_whose_database_is_unavailable_is_shown_with_its_own_words(staff, products):
    products.refuse = problem(503, "unavailable", "A server behind this service is away")
    assert "The catalogue is unavailable: A server behind" in text_of(staff.get(PRODUCTS))


def test_an_adjustment_whose_answer_is_lost_may_have_been_done_and_the_page_says_so(staff, products):
    lamp = products.add()
    products.refuse = 200, "x" * 2_000_000
    answer = staff.post(f"{PRODUCTS}{lamp['id']}/", {"delta": "1", "reason": "x"})
    assert "Check it before you try again" in text_of(answer)


def test_a_local_account_has_no_tokens_and_the_pages_say_so(desk, products):
    for path in (PRODUCTS, USERS, f"{PRODUCTS}x/", f"{USERS}x/"):
        assert "local account" in text_of(desk.get(path))
    assert "local account" in text_of(desk.post(f"{PRODUCTS}x/", {"delta": "1", "reason": "x"}))
    assert products.asked == []


def test_products_with_low_stock_are_requested_with_the_smallest_stock_first(
    staff, products, rf, django_assert_num_queries
):
    lamp = products.add(stock=3)
    request = rf.get("/admin/")
    request.session = staff.session
    assert request.session["desk"]  # read by the time a view is asked
    with django_assert_num_queries(1):
        assert [(one.id, one.name, one.stock) for one in find_low_stock(request)] == [(lamp["id"], "Brass lamp", 3)]
    assert products.asked[-1].query == {"sort": "stock", "maxStock": "10", "limit": "10"}
    products.refuse = problem(403, "not-allowed", "Your account may not do this")
    assert find_low_stock(request).text == "Your account may not do this"


def test_pages_hold_no_script_no_style_and_no_token(staff, products, accounts):
    lamp = products.add('<script>alert("x")</script>')
    ada = accounts.accounts[accounts.add()]
    secret = token_store.read(staff.session["desk"]["tokens"])
    assert secret.access in accounts.valid
    assert secret.refresh in accounts.refresh_tokens
    for path in (PRODUCTS, f"{PRODUCTS}{lamp['id']}/", USERS, f"{USERS}{ada['user_id']}/?change=disable"):
        page = staff.get(path).content.decode()
        assert "<script>alert" not in page
        assert not [token for token in secret if token in page]
