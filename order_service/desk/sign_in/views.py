"""The sign-in and sign-out pages of the admin pages and the browsable API."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME, authenticate
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from libs.runtime.logs import get_logger
from libs.values.client_address import network_of
from libs.values.email_address import email_key
from libs.values.errors import Unavailable
from libs.web.drf import error_view, prefers_html
from order_service.desk.once import DESK, SIGN_IN_PAGES
from order_service.desk.sign_in import unsent
from order_service.desk.sign_in.staff_login import StaffLogin, end_login, to_sign_in
from order_service.desk.sign_in.user_service import LoginRefused, sign_out

log = get_logger(__name__)

STALE_SIGN_IN = (
    "The form was too old: someone signed in or out in this browser since it was opened. Enter everything again."
)
STAY = "Open the overview to go on with this account, or sign in with another one."
CODE_REQUIRED = "Enter the code that your authenticator shows, or one of your recovery codes."


class SignInForm(AdminAuthenticationForm):
    """E-mail address, password, and the authenticator's code for accounts that have an authenticator."""

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
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_username(self) -> str:
        """The key of the address, as in user_service, so that failed attempts count per account."""
        return email_key(str(self.cleaned_data["username"]))

    def clean(self) -> dict[str, object]:
        """Sign in. Raises ValidationError when user_service refuses or does not respond."""
        given = {name: self.cleaned_data.get(name, "") for name in ("username", "password", "code")}
        if given["username"] and given["password"]:
            try:
                self.user_cache = authenticate(self.request, **given)
            except Unavailable as unavailable:
                raise ValidationError(unavailable.detail or unavailable.title, code="unavailable") from None
            except LoginRefused:
                raise ValidationError(CODE_REQUIRED, code="code") from None
            if self.user_cache is None:
                log.warning("sign-in at the desk refused")
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class SignInView(LoginView):
    """The sign-in page."""

    authentication_form = SignInForm
    template_name = "desk/login.html"
    next_page = "admin:index"

    def get_context_data(self, **context: Any) -> dict[str, object]:
        """The context that the admin's own sign-in page has."""
        shown = {**admin.site.each_context(self.request), "title": "Sign in", "app_path": self.request.get_full_path()}
        return super().get_context_data(**context) | shown | {REDIRECT_FIELD_NAME: self.get_redirect_url()}

    def form_valid(self, form: Any) -> HttpResponse:
        """Write the login into the new session."""
        response = super().form_valid(form)
        StaffLogin.begin(self.request)
        log.info("signed in at the desk", user=self.request.user.get_username())
        return response


def token_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. A form is too old when someone has signed in since, in another tab.

    Nothing was done. The sign-in page shows a fresh form, and another page of the desk says what was not done.
    """
    if not request.path.startswith(DESK) or not prefers_html(request):
        return error_view(403)(request)
    if request.path == SIGN_IN_PAGES[0]:
        view = SignInView()
        view.setup(request)
        messages.warning(request, STALE_SIGN_IN)
        if request.user.is_authenticated:
            messages.info(request, f"You are signed in as {_name(request)} now. {STAY}")
        form = SignInForm(request, initial={"username": request.POST.get("username", "")})
        response = view.render_to_response(view.get_context_data(form=form))
    elif not admin.site.has_permission(request):
        return to_sign_in(request)
    else:
        context = {**admin.site.each_context(request), "title": "The form was too old"}
        context |= {"not_done": unsent.not_done(request), "page": unsent.page_of(request)}
        response = TemplateResponse(request, "desk/too_old.html", context)
        unsent.keep(request, response)
    response.status_code = 403
    return response


def _name(request: HttpRequest) -> str:
    return request.user.first_name or request.user.get_username()  # type: ignore[union-attr] # someone is signed in


class SignOutView(LogoutView):
    """Ends the session, and the login at user_service. A link to it, or a sign-in that leads back to it, ends at the overview."""

    next_page = "admin:login"
    http_method_names = ["get", "head", "post", "options"]

    def get(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """The overview: only a form signs out."""
        return redirect("admin:index")

    head = get

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Sign out. While user_service is unavailable only the session ends, and the login expires by itself."""
        user = request.user.get_username()
        tokens = end_login(request)
        if tokens and tokens.refresh:
            try:
                sign_out(refresh=tokens.refresh)
            except Unavailable:
                log.warning("login not ended: user_service unavailable", user=user)
        return super().post(request, *arguments, **named)


def address_of(request: HttpRequest) -> str:
    """The browser's IP address, for django-axes, or its network by IPv6. Behind PROXY_COUNT proxies ProxyFix has set it."""
    return network_of(str(request.META.get("REMOTE_ADDR", "")))


def locked_out(request: HttpRequest, _response: HttpResponse | None, _credentials: Any) -> HttpResponse:
    """The response after too many failed attempts, for django-axes."""
    response = error_view(429)(request)
    response["Retry-After"] = str(settings.AXES_COOLOFF_TIME // timedelta(seconds=1))
    return response
