"""Workbooks: the type of each cell."""

import io
import re
from datetime import datetime
from decimal import Decimal
from zipfile import ZipFile

import openpyxl
import pytest

from libs.values.time_zone import read_time_zone
from order_service.desk.orders.workbook import write_workbook

MOMENT = datetime(2026, 3, 30, 0, 30, 5, tzinfo=read_time_zone("Europe/Berlin"))


def read(*values):
    book = openpyxl.load_workbook(io.BytesIO(write_workbook("Things", ["title"], [[value] for value in values])))
    assert book.sheetnames == ["Things"]
    header, *rows = book.active.iter_rows()
    assert header[0].value == "title"
    assert book.active.freeze_panes == "A2"
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30", "-1", "@x", "007", "1e5", "3-4", "12345678901234567890", "TRUE", "#N/A", "Café", "'x"]
)
def test_text_is_what_was_typed(text):
    [cell] = read(text)
    assert (cell.value, cell.data_type) == (text, "s")


def test_text_that_begins_like_a_formula_is_marked_as_text_for_editing():
    content = write_workbook("Things", ["title"], [["=1+1"]])
    with ZipFile(io.BytesIO(content)) as archive:
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_money_has_two_places_and_a_count_none():
    money, count = read(Decimal("2.50"), 12)
    assert (float(money.value), money.number_format) == (2.5, "0.00")
    assert (count.value, count.number_format) == (12, "General")


def test_a_time_is_a_date_in_its_zone():
    [cell] = read(MOMENT)
    assert (cell.value, cell.is_date) == (MOMENT.replace(tzinfo=None), True)


@pytest.mark.parametrize("text", ["_x0041_", "a_x202E_b", "_x0000_", "_x005F_x0041_", "_x0041_x0042_", "_xd83d_"])
def test_text_of_the_form_of_an_escaped_character_is_escaped(text):
    """A spreadsheet reads `_x0041_` as A (ECMA-376 22.9.2.19, ST_Xstring), so the underscore is written as `_x005F_`."""
    with ZipFile(io.BytesIO(write_workbook("Things", ["title"], [[text]]))) as archive:
        sheet = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".xml")).decode()
    written = text.replace("_x", "_x005F_x")
    assert f"<t>{written}</t>" in sheet
    decoded = re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), written)
    assert decoded == text


def test_other_underscores_stay():
    [cell] = read("my_x_y _x12_ _x00G0_ _X0041")
    assert cell.value == "my_x_y _x12_ _x00G0_ _X0041"
