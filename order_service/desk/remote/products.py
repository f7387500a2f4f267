"""/admin/products/: what is on sale and how much of it is left; staff adjust the stock."""

from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from order_service.desk.remote.client import PRODUCTS, Away, Refusal, ask
from order_service.desk.remote.low_stock import LOW_STOCK
from order_service.desk.remote.pages import (
    FilterForm,
    choice_filter,
    moment,
    read_list,
    read_one,
    render,
    require_staff,
    show_refusal,
    text_filter,
)

MOST_PIECES = 10_000_000  # the most stock a product has; product_service's own bound
SORTS = {
    "": "newest first",
    "stock": "fewest pieces first",
    "name": "name",
    "price": "price",
    "-price": "price, highest first",
}


class ProductFilter(FilterForm):
    """As GET /products takes them."""

    search = text_filter("Words in name or description", 100)
    category = text_filter("Category", 100)
    active = choice_filter("On sale", {"": "on sale", "false": "taken out"})
    maxStock = choice_filter("Stock", {"": "any", str(LOW_STOCK): f"{LOW_STOCK} or fewer", "0": "none"})
    sort = choice_filter("Order", SORTS)


class StockForm(forms.Form):
    """As POST /products/{id}/stock takes it. product_service says what is possible."""

    delta = forms.IntegerField(
        label="Pieces to add or take",
        min_value=-MOST_PIECES,
        max_value=MOST_PIECES,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="12 adds a dozen, -3 takes three.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="It is kept with the movement: delivery 4711, broken, counted anew, …",
    )

    def clean_delta(self) -> int:
        """Raises ValidationError for none."""
        delta: int = self.cleaned_data["delta"]
        if not delta:
            raise ValidationError("0 changes nothing")
        return delta


def list_products(request: HttpRequest) -> HttpResponse:
    """The list."""
    shown = read_list(request, PRODUCTS, "/products", ProductFilter(request.GET))
    return render(request, "desk/products.html", "Products", low_stock=LOW_STOCK, **shown)


def show_product(request: HttpRequest, product_id: str) -> HttpResponse:
    """One product; POST adjusts its stock."""
    path = f"/products/{quote(product_id, safe='')}"
    form = StockForm(request.POST or None)
    outcome: dict[str, Any] | Refusal | Away | None = None
    if request.method == "POST":
        require_staff(request)
        if form.is_valid():
            outcome = ask(request, PRODUCTS, "POST", f"{path}/stock", body=form.cleaned_data)
    if isinstance(outcome, dict):
        messages.success(request, f"{outcome['name']}: the stock is {outcome['stock']} now")
        return redirect("desk-product", product_id)
    if isinstance(outcome, Refusal):
        show_refusal(form, outcome, field="delta" if outcome.status == 409 else None)
    product = outcome if isinstance(outcome, Away) else read_one(request, PRODUCTS, path)
    if isinstance(product, Away):
        return render(request, "desk/product.html", "Product", unavailable=product.words)
    product |= {name: moment(product[name]) for name in ("createdAt", "updatedAt")}
    return render(request, "desk/product.html", product["name"], product=product, form=form, low_stock=LOW_STOCK)
