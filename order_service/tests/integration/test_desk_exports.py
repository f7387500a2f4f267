"""Orders and lines as files."""

import csv
import io
from datetime import UTC, datetime

import openpyxl
import pytest

from libs.values.time_zone import read_time_zone
from order_service.desk.orders.exports import safe_text
from order_service.store.models import Order

pytestmark = pytest.mark.django_db

EXPORT = "/admin/orders/order/export/"
CSV, XLSX, ORDERS, LINES = "0", "1", "0", "1"


def export(desk, resource, kind=CSV, query=""):
    answer = desk.post(EXPORT + query, {"format": kind, "resource": resource})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.content


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_orders_are_a_row_each(sit_down, customer, place):
    first, second = place(customer), place(customer)
    found = rows(export(sit_down("staff"), ORDERS))
    assert [row["order"] for row in found] == [second, first]
    assert (found[0]["status"], found[0]["total"], found[0]["currency"]) == ("pending", "19.90", "USD")
    assert found[0]["e-mail"] == f"u{customer.user_id[:10]}@example.com"


def test_lines_are_a_row_each_also_over_several_chunks(sit_down, customer, sell, monkeypatch):
    monkeypatch.setattr("order_service.desk.orders.exports.CHUNK", 1)
    items = [
        {"productId": sell("1.10", name="Cup"), "quantity": 2},
        {"productId": sell("3.00", name="Pot"), "quantity": 1},
    ]
    orders = [customer.send("/orders", {"items": items}).json()["orderId"] for _ in range(2)]
    found = rows(export(sit_down("staff"), LINES))
    assert [(row["order"], row["name"], row["line total"], row["price version"]) for row in found] == [
        (order, name, total, "3") for order in reversed(orders) for name, total in (("Cup", "2.20"), ("Pot", "3.00"))
    ]


def test_an_export_holds_what_the_list_shows(sit_down, customer, make_caller, place):
    place(customer)
    other = place(make_caller())
    found = rows(export(sit_down("staff"), ORDERS, query=f"?q={other}"))
    assert [row["order"] for row in found] == [other]


def test_a_csv_file_begins_with_a_byte_order_mark(sit_down, customer, place):
    place(customer)
    assert export(sit_down("staff"), ORDERS).startswith(b"\xef\xbb\xbforder,")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"),
        (" =1", "' =1"),
        ("\u3000@x", "'\u3000@x"),
        ('"=1"', '\'"=1"'),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20x", "'\uff20x"),
        ("|calc", "'|calc"),
        ("\u00a0%0", "'\u00a0%0"),
        ("\uff5cx;\uff05y", "'\uff5cx;'\uff05y"),
        ("50% off | new", "50% off | new"),
        ("a;=1;b; \uff1d2", "a;'=1;b;' \uff1d2"),
        ("a-b=c; d+e", "a-b=c; d+e"),
        ("a\t=1", "a\ufffd=1"),
        ("a\nb\u2028c\x00\uffff", "a\ufffdb\ufffdc\ufffd\ufffd"),
        (None, ""),
    ],
)
def test_each_part_of_a_cell_is_made_safe(text, cell):
    assert safe_text(text) == cell


def test_stored_text_that_xml_does_not_know_leaves_the_file_readable(sit_down, customer, sell):
    body = {"productId": sell(name="Lamp\uffff\x01\u2028\ufffe"), "quantity": 1}
    assert customer.send("/orders", body).status_code == 201
    sheet = openpyxl.load_workbook(io.BytesIO(export(sit_down("staff"), LINES, XLSX))).active
    assert "Lamp\ufffd\ufffd\ufffd\ufffd" in {value.value for row in sheet.iter_rows() for value in row}


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "|", "%", "\t", "\r"])
def test_no_cell_is_a_formula(sit_down, customer, sell, begin):
    cell = f"{begin}cmd|' /C calc'!A0"
    address = {"name": cell.strip(), "line1": "x", "city": "x", "postalCode": "x", "country": "GB"}
    body = {"productId": sell(name=cell), "quantity": 1, "shippingAddress": address}
    assert customer.send("/orders", body).status_code == 201
    desk = sit_down("staff")
    for resource in (ORDERS, LINES):
        for kind in (CSV, XLSX):
            content = export(desk, resource, kind)
            if kind == CSV:
                cells = [value for row in csv.reader(io.StringIO(content.decode(), newline="")) for value in row]
            else:
                sheet = openpyxl.load_workbook(io.BytesIO(content)).active
                assert "f" not in {value.data_type for row in sheet.iter_rows() for value in row}
                cells = []  # text as it was typed
                shown = {value.value for row in sheet.iter_rows() for value in row}
                typed = cell.replace("\t", "\ufffd").replace("\r", "\ufffd")
                assert typed in shown or cell.strip() in {str(value).partition(",")[0] for value in shown}
            assert not [value for value in cells if value.startswith(("=", "+", "-", "@", "|", "%", "\t", "\r"))]


def test_a_workbook_has_numbers_where_they_are_numbers(sit_down, customer, place):
    place(customer)
    sheet = openpyxl.load_workbook(io.BytesIO(export(sit_down("staff"), ORDERS, XLSX))).active
    header, row = sheet.iter_rows(values_only=True)
    assert float(dict(zip(header, row, strict=True))["total"]) == 19.9


MOMENT = datetime(2026, 3, 29, 22, 30, 5, tzinfo=UTC)  # in Berlin the next day, in summer time


def test_a_workbook_has_dates_and_money_and_text_as_they_are(sit_down, customer, sell, settings):
    settings.SHOP_TIME_ZONE = read_time_zone("Europe/Berlin")
    body = {"productId": sell("2.50", name="007"), "quantity": 2}
    order = customer.send("/orders", body).json()["orderId"]
    Order.objects.filter(pk=order).update(created_at=MOMENT)
    book = openpyxl.load_workbook(io.BytesIO(export(sit_down("staff"), LINES, XLSX)))
    assert book.sheetnames == ["Lines of orders"]
    header, row = book.active.iter_rows()
    cells = dict(zip([cell.value for cell in header], row, strict=True))
    placed = cells["placed (Europe/Berlin)"]
    assert (placed.value, placed.is_date, placed.number_format) == (
        datetime(2026, 3, 30, 0, 30, 5),  # noqa: DTZ001 -- a workbook has no zones
        True,
        "yyyy-mm-dd hh:mm:ss",
    )
    for name, value in (("unit price", 2.5), ("line total", 5)):
        assert (float(cells[name].value), cells[name].number_format) == (value, "0.00")
    assert (cells["name"].value, cells["name"].data_type) == ("007", "s")
    assert (cells["quantity"].value, cells["quantity"].data_type) == (2, "n")


def test_a_csv_file_has_the_shops_time_and_names_its_zone(sit_down, customer, place, settings):
    Order.objects.filter(pk=place(customer)).update(created_at=MOMENT)
    assert rows(export(sit_down("staff"), ORDERS))[0]["placed (UTC)"] == "2026-03-29 22:30:05"
    settings.SHOP_TIME_ZONE = read_time_zone("Europe/Berlin")
    assert rows(export(sit_down("staff"), ORDERS))[0]["placed (Europe/Berlin)"] == "2026-03-30 00:30:05"


def test_two_files_of_a_day_have_different_names(sit_down, customer, place):
    place(customer)
    desk = sit_down("staff")
    names = [
        desk.post(EXPORT, {"format": kind, "resource": resource})["Content-Disposition"]
        for kind in (CSV, XLSX)
        for resource in (ORDERS, LINES)
        for _ in range(2)
    ]
    assert len(set(names)) == len(names)
    assert sum('filename="order-lines-2' in name for name in names) == 4
    assert sum('filename="orders-2' in name for name in names) == 4


def test_the_page_of_the_export_says_what_a_spreadsheet_does_to_csv(sit_down, customer, place, settings):
    settings.SHOP_TIME_ZONE = read_time_zone("Asia/Kathmandu")
    page = sit_down("staff").get(EXPORT).content.decode()
    for words in ("leading zeros go", "an apostrophe in front", "the time zone Asia/Kathmandu"):
        assert words in page


def test_too_many_orders_for_one_file_are_refused_in_words(sit_down, customer, place, monkeypatch):
    monkeypatch.setattr("order_service.desk.orders.exports.MAX_EXPORTED", 1)
    desk, orders = sit_down("staff"), [place(customer), place(customer)]
    answer = desk.post(EXPORT, {"format": CSV, "resource": ORDERS}, follow=True)
    assert "An export holds at most 1 orders" in answer.content.decode()
    assert rows(export(desk, ORDERS, query=f"?q={orders[0]}"))


@pytest.mark.parametrize(
    ("query", "words"),
    [("?placed=nonsense", "The address of the list is invalid."), ("?q=customer", "Too many orders match")],
)
def test_an_export_of_what_is_no_whole_list_is_refused_in_words(sit_down, customer, place, monkeypatch, query, words):
    monkeypatch.setattr("order_service.queries.order_search.MAX_MATCHES", 1)
    Order.objects.filter(pk=place(customer)).update(username="customer1")
    answer = sit_down("staff").post(EXPORT + query, {"format": CSV, "resource": ORDERS}, follow=True)
    assert words in answer.content.decode()


def test_a_form_without_a_format_is_shown_again_with_the_mistake(sit_down):
    html = sit_down("staff").post(EXPORT, {"resource": ORDERS}).content.decode()
    assert "This field is required." in html
