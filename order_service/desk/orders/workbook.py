"""A table as an XLSX workbook: dates are dates, money has two places, and text is what was typed."""

import io
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter

DATE_FORMAT, MONEY_FORMAT = "yyyy-mm-dd hh:mm:ss", "0.00"
MAX_WIDTH = 40  # characters
# A spreadsheet reads _x0041_ as A (ECMA-376, ST_Xstring), so the underscore before x is written as _x005F_.
ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def write_workbook(title: str, headers: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """The file's bytes: one sheet with this title, and its headers in a row that stays in sight.

    A time becomes a date cell in the zone that it has. XLSX has no time zones, so the header has to name it.
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    table: list[list[object]] = [list(headers), *(list(row) for row in rows)]
    for number, column in enumerate(zip(*table, strict=True), start=1):
        width = max(len(str(value)) for value in column)
        sheet.column_dimensions[get_column_letter(number)].width = min(width, MAX_WIDTH) + 2
    for row in table:
        sheet.append([_cell(sheet, value) for value in row])
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def _cell(sheet: object, value: object) -> WriteOnlyCell:
    if isinstance(value, datetime):
        return _formatted(sheet, value.replace(tzinfo=None, microsecond=0), DATE_FORMAT)
    if isinstance(value, Decimal):
        return _formatted(sheet, value, MONEY_FORMAT)
    if isinstance(value, str):
        value = ESCAPED.sub("_x005F_", value)
    cell = WriteOnlyCell(sheet, None if value == "" else value)
    if isinstance(value, str) and value:
        cell.data_type = "s"  # openpyxl takes a text that begins with = for a formula
        cell.quotePrefix = True  # so that a spreadsheet takes it for text when someone edits the cell
    return cell


def _formatted(sheet: object, value: object, number_format: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell
