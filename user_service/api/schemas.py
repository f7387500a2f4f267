"""The JSON of requests, and the JSON of responses for the API document."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from libs.values.schema import StrictModel, StrictQuery
from libs.values.text import Line
from user_service.domain.account_change import Action
from user_service.domain.passwords import Password
from user_service.domain.user import MAX_EMAIL_CHARACTERS, Email, Username


def _trim(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Role = Literal["viewer", "staff", "admin"]
AnyPassword = Annotated[
    str, StringConstraints(max_length=128)
]  # to compare with a hash: it may be older than the rules for new passwords
AnyEmail = Annotated[str, BeforeValidator(_trim), StringConstraints(max_length=MAX_EMAIL_CHARACTERS)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Code = Annotated[str, StringConstraints(min_length=6, max_length=64)]  # as typed, with spaces and hyphens


Parameter = Annotated[str, StringConstraints(min_length=1)]


class Register(StrictModel):
    username: Username
    email: Email
    password: Password


class Login(StrictModel):
    email: AnyEmail
    password: AnyPassword
    code: Code | None = None


class Refresh(StrictModel):
    refresh: Token


class PasswordReset(StrictModel):
    email: AnyEmail


class NewPassword(StrictModel):
    token: Token
    password: Password


class VerifyEmail(StrictModel):
    token: Token


class Empty(StrictModel):
    """A body without fields."""


class UpdateMe(StrictModel):
    username: Username | None = None
    email: Email | None = None
    password: AnyPassword | None = None


class DeleteMe(StrictModel):
    password: AnyPassword


class ChangePassword(StrictModel):
    current: AnyPassword
    new: Password


class OfferTotp(StrictModel):
    password: AnyPassword


class ConfirmTotp(StrictModel):
    code: Code


class RemoveTotp(StrictModel):
    password: AnyPassword
    code: Code


class PatchUser(StrictModel):
    active: bool | None = None
    roles: list[Role] | None = Field(None, max_length=3)


class UsersQuery(StrictQuery):
    search: Annotated[Line, StringConstraints(min_length=1, max_length=MAX_EMAIL_CHARACTERS)] | None = None
    role: Role | None = None
    active: bool | None = None
    limit: Parameter | None = None
    cursor: Parameter | None = None


class PageQuery(StrictQuery):
    limit: Parameter | None = None
    cursor: Parameter | None = None


class UserOut(StrictModel):
    id: str
    username: str
    email: str
    roles: list[Role]
    active: bool
    email_verified: bool
    second_factor: bool
    created_at: str
    updated_at: str


class Registered(StrictModel):
    status: Literal["User created"]
    user_id: str


class LoggedIn(StrictModel):
    token: str
    expires_in: int
    refresh: str


class Accepted(StrictModel):
    status: Literal["accepted"]


class UserPage(StrictModel):
    next: str | None
    previous: str | None
    results: list[UserOut]


class ChangeOut(StrictModel):
    id: str
    at: str
    actor: Annotated[str, Field(description="The id of the member of staff, or `command`")]
    action: Action
    changes: Annotated[dict[str, list[Any]], Field(description="By field: the value before and the value after")]


class ChangePage(StrictModel):
    next: str | None
    previous: str | None
    results: list[ChangeOut]


class SessionOut(StrictModel):
    id: str
    current: bool
    address: str
    agent: str
    created_at: str
    refreshed_at: str
    expires_at: str


class SessionPage(StrictModel):
    next: str | None
    previous: str | None
    results: list[SessionOut]


class TotpOffer(StrictModel):
    secret: str
    uri: str


class RecoveryCodes(StrictModel):
    recovery_codes: list[str]


class Export(StrictModel):
    account: UserOut
    sessions: list[SessionOut]
    orders: list[dict[str, Any]]
