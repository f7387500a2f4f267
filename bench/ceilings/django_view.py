"""Django and Django REST framework with one view each, without middleware."""

from __future__ import annotations

import secrets

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_urlsafe(48),
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 # after the settings
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


def answer(_request: HttpRequest) -> JsonResponse:
    """Answer alike."""
    return JsonResponse({"status": "ok"})


class Answer(APIView):
    """Answer alike."""

    def get(self, _request: Request) -> Response:
        """The same body."""
        return Response({"status": "ok"})


urlpatterns = [path("", answer), path("rest", Answer.as_view())]
app = WSGIHandler()
