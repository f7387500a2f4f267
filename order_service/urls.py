"""All routes of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from libs.web.drf import error_view, get_view, routes, server_error_view, service_routes
from order_service.api import order_changes, orders
from order_service.api.health import health
from order_service.api.openapi import show_document, show_page, show_script
from order_service.desk.remote.mails import list_mails, show_mail
from order_service.desk.remote.products import list_products, show_product
from order_service.desk.remote.users import list_users, show_user
from order_service.desk.sign_in.views import SignInView, SignOutView

other_services = [
    path("products/", admin.site.admin_view(list_products), name="desk-products"),
    path("products/<slug:product_id>/", admin.site.admin_view(show_product), name="desk-product"),
    path("users/", admin.site.admin_view(list_users), name="desk-users"),
    path("users/<slug:user_id>/", admin.site.admin_view(show_user), name="desk-user"),
    path("emails/", admin.site.admin_view(list_mails), name="desk-emails"),
    path("emails/<slug:kind>/", admin.site.admin_view(show_mail), name="desk-email"),
]
"""Pages of the desk for what other services keep."""

urlpatterns: list[URLPattern | URLResolver] = [
    *routes("orders", orders.Orders.as_view()),
    *routes("orders/changes", order_changes.OrderChanges.as_view()),
    *routes("orders/<str:order_id>", orders.OneOrder.as_view()),
    *routes("orders/<str:order_id>/cancel", orders.Cancellation.as_view()),
    *routes("orders/<str:order_id>/status", orders.OrderStatusView.as_view()),
    path("openapi.json", get_view(show_document)),
    *routes("docs", get_view(show_page)),
    path("docs/start.js", get_view(show_script)),
    path("admin/login/", SignInView.as_view()),
    path("admin/logout/", SignOutView.as_view()),
    path("admin/", include(other_services)),
    path("admin/", admin.site.urls),
    *service_routes(health, {"orders": "/orders", "admin": "/admin/"}),
]

handler400, handler403, handler404, handler500 = error_view(400), error_view(403), error_view(404), server_error_view
