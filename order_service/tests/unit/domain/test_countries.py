"""Countries, and what an address of each needs: from a table that is kept, not ours."""

import pytest

from order_service.domain.countries import COUNTRIES, needed_lines


def test_countries_are_those_of_iso_3166_1():
    assert len(COUNTRIES) == 249
    assert {"DE", "HK", "AE", "NO", "US", "AQ", "TW"} <= COUNTRIES
    assert not {"XX", "ZZ", "XK", "AC", "TA", "UK", "EU", "de", "DEU"} & COUNTRIES


@pytest.mark.parametrize(
    ("country", "lines"),
    [
        ("DE", {"city", "postal_code"}),
        ("US", {"city", "postal_code"}),
        ("IE", {"city"}),
        ("HK", {"city"}),  # its district
        ("AE", {"city"}),  # its emirate
        ("SG", {"postal_code"}),
        ("VA", {"city"}),
    ],
)
def test_the_lines_that_an_address_needs_depend_on_its_country(country, lines):
    assert needed_lines(country) == lines


def test_every_country_has_an_answer():
    assert all(needed_lines(country) <= {"city", "postal_code"} for country in COUNTRIES)
