"""Signing in and out: one page for the admin pages and the browsable API."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, authenticate
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from libs.runtime.logs import get_logger
from libs.values.errors import Unavailable
from libs.web.drf import error_view
from order_service.desk.sign_in.staff_login import DeskSession, end
from order_service.desk.sign_in.user_service import Refused, sign_out

log = get_logger(__name__)

CODE_WANTED = "Please enter the code that your authenticator shows, or one of your recovery codes."


class DeskForm(AdminAuthenticationForm):
    """E-mail address, password and, for accounts that have one, the authenticator's code."""

    username = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=UnfoldAdminTextInputWidget({"autofocus": True, "autocomplete": "username"}),
    )
    password = forms.CharField(
        max_length=128, strip=False, widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password"})
    )
    code = forms.CharField(
        label="Code, if your account has one",
        max_length=20,
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_username(self) -> str:
        """Without regard to case, as in user_service: so that tries are counted by account."""
        return str(self.cleaned_data["username"]).strip().casefold()

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError, whoever refuses."""
        given = {name: self.cleaned_data.get(name, "") for name in ("username", "password", "code")}
        if given["username"] and given["password"]:
            try:
                self.user_cache = authenticate(self.request, **given)
            except Unavailable as away:
                raise ValidationError(away.detail or away.title, code="unavailable") from None
            except Refused:
                raise ValidationError(CODE_WANTED, code="code") from None
            if self.user_cache is None:
                log.warning("sign-in at the desk refused")
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class DeskLogin(LoginView):
    """The page to sign in."""

    authentication_form = DeskForm
    template_name = "desk/login.html"
    next_page = "admin:index"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """What the page of the admin's own view shows."""
        shown = {**admin.site.each_context(self.request), "title": "Sign in", "app_path": self.request.get_full_path()}
        return super().get_context_data(**context) | shown | {REDIRECT_FIELD_NAME: self.get_redirect_url()}

    def form_valid(self, form: Any) -> HttpResponse:
        """Begin the session."""
        answer = super().form_valid(form)
        DeskSession.begin(self.request)
        log.info("signed in at the desk", user=self.request.user.get_username())
        return answer


class DeskLogout(LogoutView):
    """Ends the session here, and the login at user_service."""

    next_page = "admin:login"

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Sign out, also while user_service is away: its own session ends by itself then."""
        user = request.user.get_username()
        tokens = end(request)
        if tokens and tokens.refresh:
            try:
                sign_out(refresh=tokens.refresh)
            except Unavailable:
                log.warning("signed out at the desk only: user_service is away", user=user)
        return super().post(request, *arguments, **named)


def address_of(request: HttpRequest) -> str:
    """The browser's address; behind PROXY_COUNT proxies ProxyFix has put it there. django-axes asks for it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def locked_out(request: HttpRequest, _answer: HttpResponse | None, _credentials: Any) -> HttpResponse:
    """The answer to whoever tried too often; django-axes asks for it."""
    answer = error_view(429)(request)
    answer["Retry-After"] = str(settings.AXES_COOLOFF_TIME // timedelta(seconds=1))
    return answer
