"""All addresses of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from chassis.drf import crashed, failing, read_only, routes, service_routes
from order_service.api import views
from order_service.api.document import show_document, show_page, show_script
from order_service.desk.views import DeskLogin, DeskLogout
from order_service.health import health

urlpatterns: list[URLPattern | URLResolver] = [
    *routes("orders", views.Orders.as_view()),
    *routes("orders/<str:order_id>", views.OneOrder.as_view()),
    *routes("orders/<str:order_id>/cancel", views.Cancellation.as_view()),
    *routes("orders/<str:order_id>/status", views.OrderStatus.as_view()),
    path("openapi.json", read_only(show_document)),
    *routes("docs", read_only(show_page)),
    path("docs/start.js", read_only(show_script)),
    path("admin/login/", DeskLogin.as_view()),
    path("admin/logout/", DeskLogout.as_view()),
    path("admin/", admin.site.urls),
    *service_routes(health),
]

handler400, handler403, handler404, handler500 = failing(400), failing(403), failing(404), crashed
