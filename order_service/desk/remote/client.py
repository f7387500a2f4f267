"""Calls to other services with the staff member's own tokens, so that each service decides what this person may do there.

A call returns a value in every case, because a page shows each of them: what the service sent, its refusal, or that it is
unavailable. An expired access token is renewed once. A login that has ended raises LoginEnded (sign_in/staff_login.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from libs.runtime.http_client import HttpResponse, NoResponse, call_limited, deadline
from libs.runtime.logs import get_logger
from libs.values.errors import Unavailable
from order_service.desk.sign_in import token_store
from order_service.desk.sign_in.staff_login import StaffLogin

log = get_logger(__name__)

LOCAL_ACCOUNT = (
    "You are signed in with a local account, which the other services do not know. "
    "Sign in with an account of the shop to see and change their data."
)
OUTCOME_UNKNOWN = "Your change may have been made. Check it before you try again."


@dataclass(frozen=True)
class Service:
    """Another service: its name, the setting that holds its address, and its title on pages."""

    name: str
    setting: str
    title: str

    @property
    def address(self) -> str:
        """Its URL."""
        return str(getattr(settings, self.setting))


USERS = Service("user_service", "USER_SERVICE_URL", "The account service")
PRODUCTS = Service("product_service", "PRODUCT_SERVICE_URL", "The catalogue")
MAILS = Service("notification_service", "NOTIFICATION_SERVICE_URL", "The mail service")


class RemoteModel(BaseModel):
    """The desk's own view of what a service sends: the fields that its pages show. Other fields are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True)
class RemoteUnavailable:
    """The service is unavailable. `text` is the reason for staff."""

    text: str


@dataclass(frozen=True)
class RemoteRefusal:
    """The service refused: its status code, its text, and its texts for single fields by their JSON names."""

    status: int
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)


Model = TypeVar("Model", bound=RemoteModel)


def call_service(
    request: HttpRequest,
    service: Service,
    method: str,
    path: str,
    model: type[Model],
    *,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Model | RemoteRefusal | RemoteUnavailable:
    """Send a request on behalf of the staff member, and return the response as `model`. Raises LoginEnded.

    `headers`: those besides that of the access token.
    """
    login = StaffLogin.of_request(request)
    if login is None:
        return RemoteUnavailable(LOCAL_ACCOUNT)
    target = f"{path}?{urlencode(query)}" if query else path
    try:
        response = _call(login, partial(call_limited, service.address, method, target, body=body), headers or {})
    except NoResponse as error:
        text = f"{service.title} does not respond. Try again in a moment."
        return RemoteUnavailable(f"{text} {OUTCOME_UNKNOWN}" if error.sent and method != "GET" else text)
    except Unavailable as error:
        return RemoteUnavailable(error.detail or error.title)
    return _outcome(service, response, model)


def _call(login: StaffLogin, call: Callable[..., HttpResponse], headers: Mapping[str, str]) -> HttpResponse:
    """Call with the access token, and again with a new one when it has expired. Raises NoResponse, Unavailable, LoginEnded."""
    until, pair = deadline(), token_store.read(login.tokens)

    def send(access: str) -> HttpResponse:
        return call(until=until, headers={**headers, "Authorization": f"Bearer {access}"})

    response = send(pair.access)
    if response.status == 401:
        pair = token_store.renew(login.tokens, refused=pair.access, until=until)
        response = send(pair.access)
    if response.status == 401:
        raise token_store.LoginEnded
    return response


def _outcome(service: Service, response: HttpResponse, model: type[Model]) -> Model | RemoteRefusal | RemoteUnavailable:
    status, body = response
    if 200 <= status < 300:
        try:
            return model.model_validate(body, by_alias=True, by_name=False)
        except ValidationError as error:
            log.warning("unexpected response from a service", service=service.name, errors=error.error_count())
            return RemoteUnavailable(f"{service.title} sent a response that the desk can't read.")
    text = str(body.get("detail") or body.get("title") or f"status {status}")
    if not 400 <= status < 500 or status == 429:
        return RemoteUnavailable(f"{service.title} is unavailable: {text}")
    errors = [row for row in body.get("errors", []) if isinstance(row, dict)]
    return RemoteRefusal(status, text, {str(row.get("field")): str(row.get("message")) for row in errors})
