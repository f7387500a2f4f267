"""Keyset pages over a list that a test can hold in its head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.values.errors import Invalid
from libs.values.pages import Page, build_page, page_request

ROWS = [f"{n:03}" for n in range(7)]


def fetch(request, rows):
    """What a query does: rows after (or, backwards, before) the position, one more than the limit."""
    if request.backwards:
        chosen = [row for row in reversed(rows) if row < request.position[0]]
    else:
        chosen = [row for row in rows if request.position is None or row > request.position[0]]
    return build_page(request, chosen[: request.limit + 1], lambda row: (row,))


def ask(cursor=None, limit=None, sort="name"):
    return page_request(sort=sort, key_types=[str], limit=limit, cursor=cursor)


@given(st.integers(0, 30), st.integers(1, 10))
def test_walking_forth_and_back_sees_every_row_once(count, limit):
    rows, seen, cursor = [f"{n:03}" for n in range(count)], [], None
    while True:
        page = fetch(ask(cursor, str(limit)), rows)
        seen += page.results
        if page.next is None:
            break
        cursor = page.next
    assert seen == rows
    back = list(page.results)
    while page.previous:
        page = fetch(ask(page.previous, str(limit)), rows)
        back = [*page.results, *back]
    assert back == rows


def test_the_first_page_has_nothing_before_and_the_last_nothing_after():
    first = fetch(ask(limit="3"), ROWS)
    assert (first.results, first.previous) == (ROWS[:3], None)
    assert fetch(ask(limit="7"), ROWS).next is None


def test_links_keep_the_rest_of_the_query():
    rendered = Page(["a"], "CURSOR", None).render("http://shop/things?limit=1&cursor=old&search=x+y", str.upper)
    assert rendered["next"] == "/things?limit=1&cursor=CURSOR&search=x+y"
    assert rendered["previous"] is None


@pytest.mark.parametrize("limit", ["0", "101", "x", "", "-1", "1.5", "٣", "1e2", "9" * 50])
def test_bad_limits_are_refused(limit):
    with pytest.raises(Invalid):
        ask(limit=limit)


@pytest.mark.parametrize("cursor", ["", "garbage", "bnVsbA", "WzFd", "W10", "eyJhIjoxfQ", "é", "=" * 10])
def test_bad_cursors_are_refused(cursor):
    with pytest.raises(Invalid):
        ask(cursor=cursor)


def test_a_cursor_fits_its_own_sort_order_only():
    cursor = fetch(ask(limit="3"), ROWS).next
    with pytest.raises(Invalid):
        ask(cursor=cursor, sort="price")


@pytest.mark.parametrize(
    "url",
    [
        "//evil.example/things?limit=1",
        "http://evil.example//things",
        "http://x///things",
        "http://x/\\\\evil",
        "/things",
        "",
    ],
)
def test_links_are_paths_of_the_own_host(url):
    link = Page(["a"], "CURSOR", None).render(url, str.upper)["next"]
    assert link[0] == "/"
    assert link[1:2] not in ("/", "\\")
    assert "evil.example" not in link


def examine(request, rows, matches, bound=4):
    """What a query with a bound does: it examines so many rows after the position, and finds those that match."""
    if request.backwards:
        chosen = [row for row in reversed(rows) if row < request.position[0]]
    else:
        chosen = [row for row in rows if request.position is None or row > request.position[0]]
    examined = chosen[:bound]
    found = [row for row in examined if matches(row)][: request.limit + 1]
    return build_page(request, found, lambda row: (row,), resume=(examined[-1],) if len(examined) == bound else None)


@given(st.integers(0, 30), st.integers(1, 6), st.sets(st.integers(0, 29)))
def test_pages_of_few_matches_lead_on_until_all_are_seen_and_back(count, limit, wanted):
    rows = [f"{n:03}" for n in range(count)]
    found = [row for row in rows if int(row) in wanted]
    page = examine(ask(limit=str(limit)), rows, found.__contains__)
    seen, pages = list(page.results), 1
    while page.next:
        page = examine(ask(page.next, str(limit)), rows, found.__contains__)
        seen += page.results
        pages += 1
    assert seen == found
    assert pages <= count // min(limit, 4) + count // 4 + 2
    if not page.results:  # behind the last match there is nothing to go back from
        assert page.previous is None
        return
    back = list(page.results)
    while page.previous:
        page = examine(ask(page.previous, str(limit)), rows, found.__contains__)
        back = [*page.results, *back]
    assert back == found


def test_a_page_without_a_row_leads_on_while_more_may_match():
    page = build_page(ask(limit="2"), [], lambda row: (row,), resume=("017",))
    assert (page.results, page.previous) == ([], None)
    assert ask(page.next).position == ("017",)
    assert build_page(ask(limit="2"), [], lambda row: (row,)).next is None
