"""All addresses of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularSwaggerView

from chassis.drf import crashed, failing, read_only, routes, service_routes
from order_service.api import views
from order_service.api.document import show_document
from order_service.health import health

urlpatterns: list[URLPattern | URLResolver] = [
    *routes("orders", views.Orders.as_view()),
    *routes("orders/<str:order_id>", views.OneOrder.as_view()),
    *routes("orders/<str:order_id>/cancel", views.Cancellation.as_view()),
    *routes("orders/<str:order_id>/status", views.OrderStatus.as_view()),
    path("openapi.json", read_only(show_document)),
    *routes("docs", SpectacularSwaggerView.as_view(url="/openapi.json")),
    path("admin/", admin.site.urls),
    path("api-auth/", include("rest_framework.urls")),
    *service_routes(health),
]

handler400, handler403, handler404, handler500 = failing(400), failing(403), failing(404), crashed
