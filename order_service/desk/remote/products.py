"""/admin/products/: products and their stock, which staff adjust."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from order_service.desk.remote.client import PRODUCTS, RemoteModel, RemoteRefusal, RemoteUnavailable, call_service
from order_service.desk.remote.low_stock import LOW_STOCK
from order_service.desk.remote.pages import (
    FilterForm,
    RemotePage,
    choice_filter,
    read_list,
    read_one,
    render,
    require_staff,
    show_refusal,
    text_filter,
)
from order_service.desk.sign_in import unsent

NUMBER = re.compile(r"[+-]?[0-9]{1,20}")
MAX_STOCK = 10_000_000  # pieces; product_service has the same limit
SORTS = {
    "": "newest first",
    "stock": "smallest stock first",
    "name": "name",
    "price": "price",
    "-price": "price, highest first",
}


class Product(RemoteModel):
    """A product as product_service sends it."""

    id: str
    name: str
    sku: str | None
    category: str | None
    description: str
    price: str  # decimal
    currency: str
    stock: int
    active: bool
    version: int
    updated_at: datetime


class ProductFilter(FilterForm):
    """The filters of GET /products."""

    search = text_filter("Words in name or description", 100)
    category = text_filter("Category", 100)
    active = choice_filter("On sale", {"": "on sale", "false": "withdrawn"})
    maxStock = choice_filter("Stock", {"": "any", str(LOW_STOCK): f"{LOW_STOCK} or fewer", "0": "none"})
    sort = choice_filter("Order", SORTS)


class Pieces(forms.IntegerField):
    """A whole number in ASCII digits. Django's own field takes `1_0` for 10."""

    def to_python(self, value: Any) -> int | None:
        """The number. Raises ValidationError."""
        if value and not NUMBER.fullmatch(str(value).strip()):
            raise ValidationError(self.error_messages["invalid"], "invalid")
        number: int | None = super().to_python(value)
        return number


class StockForm(forms.Form):
    """The body of POST /products/{id}/stock. product_service decides whether the stock can change like that."""

    delta = Pieces(
        label="Pieces to add or take",
        min_value=-MAX_STOCK,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="12 adds twelve pieces, -3 takes three.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="It is stored with the movement. Examples: delivery 4711, broken, stocktaking.",
    )
    # A form that is sent twice changes the stock once. A page that is shown again after a refusal keeps the key.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4, required=False)

    def clean_delta(self) -> int:
        """Raises ValidationError for 0."""
        delta: int = self.cleaned_data["delta"]
        if not delta:
            raise ValidationError("0 changes nothing")
        return delta


def list_products(request: HttpRequest) -> HttpResponse:
    """The list."""
    form = ProductFilter(request.GET)
    listing = read_list(request, PRODUCTS, "/products", RemotePage[Product], form)
    return render(
        request,
        "desk/products.html",
        "Products",
        form=form,
        listing=listing,
        unavailable=listing.unavailable,
        low_stock=LOW_STOCK,
    )


def show_product(request: HttpRequest, product_id: str) -> HttpResponse:
    """One product. POST adjusts its stock."""
    path = f"/products/{quote(product_id, safe='')}"
    form = StockForm(request.POST or None, initial=unsent.typed(request))
    outcome: Product | RemoteRefusal | RemoteUnavailable | None = None
    if request.method == "POST":
        require_staff(request)
        if form.is_valid():
            key = form.cleaned_data.pop("key")
            outcome = call_service(
                request,
                PRODUCTS,
                "POST",
                f"{path}/stock",
                Product,
                body=form.cleaned_data,
                headers={"Idempotency-Key": str(key)} if key else None,
            )
    if isinstance(outcome, Product):
        messages.success(request, f"{outcome.name}: the stock is {outcome.stock} now")
        return redirect("desk-product", product_id)
    if isinstance(outcome, RemoteRefusal):
        show_refusal(form, outcome, field="delta" if outcome.status == 409 else None)
    found = outcome if isinstance(outcome, RemoteUnavailable) else read_one(request, PRODUCTS, path, Product)
    if isinstance(found, RemoteUnavailable):
        return render(request, "desk/product.html", "Product", unavailable=found.text)
    response = render(request, "desk/product.html", found.name, product=found, form=form, low_stock=LOW_STOCK)
    unsent.discard(request, response)
    return response
