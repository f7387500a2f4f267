"""The API documents of the services, as people read them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.shop import Shop

OPERATIONS = {"user": "/register", "product": "/products", "order": "/orders", "notification": "/test-email"}


@pytest.mark.parametrize("service", OPERATIONS)
def test_the_api_documents_load_from_their_own_service(page: Page, shop: Shop, service: str) -> None:
    page.goto(shop.url(service, "/docs"))
    expect(page.get_by_role("heading", name=f"{service}_service")).to_be_visible()
    expect(page.get_by_text(OPERATIONS[service], exact=True).first).to_be_visible()
    page.get_by_text(OPERATIONS[service], exact=True).first.click()
    expect(page.get_by_role("button", name="Try it out").first).to_be_visible()
