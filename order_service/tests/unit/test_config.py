"""The configuration: what has a default, and what it may be."""

import os

import pytest

from libs.runtime.config import BadConfiguration, load
from order_service.config import Config


def test_an_order_may_be_pending_for_half_an_hour_by_default():
    assert load(Config, os.environ).order_pending_limit == 1800
    assert load(Config, {**os.environ, "ORDER_PENDING_LIMIT": "600"}).order_pending_limit == 600


@pytest.mark.parametrize("value", ["59", "604801", "30m", "-1"])
def test_a_limit_that_makes_no_sense_is_refused(value):
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {**os.environ, "ORDER_PENDING_LIMIT": value})
    assert set(refused.value.problems) == {"ORDER_PENDING_LIMIT"}


def test_an_account_without_a_verified_address_has_at_most_a_hundred_pieces_in_open_orders_by_default():
    plain = {name: value for name, value in os.environ.items() if name != "UNVERIFIED_OPEN_PIECES"}
    assert load(Config, plain).unverified_open_pieces == 100
    assert load(Config, plain | {"UNVERIFIED_OPEN_PIECES": "7"}).unverified_open_pieces == 7
    assert load(Config, plain | {"UNVERIFIED_OPEN_PIECES": "off"}).unverified_open_pieces is None


@pytest.mark.parametrize("value", ["-1", "many", "1.5", "OFF", "none"])
def test_a_number_of_pieces_that_makes_no_sense_is_refused(value):
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {**os.environ, "UNVERIFIED_OPEN_PIECES": value})
    assert set(refused.value.problems) == {"UNVERIFIED_OPEN_PIECES"}


def test_the_shop_is_in_utc_by_default_and_may_name_its_zone():
    assert str(load(Config, os.environ).shop_time_zone) == "UTC"
    assert str(load(Config, {**os.environ, "SHOP_TIME_ZONE": "Asia/Kathmandu"}).shop_time_zone) == "Asia/Kathmandu"


@pytest.mark.parametrize("value", ["Berlin", "CEST", "+02:00", "Europe", "../passwd"])
def test_a_zone_that_is_none_is_refused(value):
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {**os.environ, "SHOP_TIME_ZONE": value})
    assert refused.value.problems == {"SHOP_TIME_ZONE": "is not an IANA time zone such as Europe/Berlin"}


def test_the_page_of_a_trace_has_a_place_for_its_id():
    url = "http://127.0.0.1:9411/zipkin/traces/{traceId}"
    assert load(Config, {**os.environ, "TRACE_URL": url}).trace_url == url
    assert load(Config, os.environ).trace_url is None


@pytest.mark.parametrize(
    "value", ["http://x/traces", "javascript:alert('{traceId}')", "{traceId}", "http:///{traceId}"]
)
def test_another_address_of_traces_is_refused(value):
    with pytest.raises(BadConfiguration) as refused:
        load(Config, {**os.environ, "TRACE_URL": value})
    assert set(refused.value.problems) == {"TRACE_URL"}
