"""The shapes that come in and go out."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, EmailStr, Field, StringConstraints
from pydantic_core import PydanticCustomError

from libs.values.schema import StrictModel, StrictQuery
from libs.values.text import Line
from user_service.domain.passwords import is_common

Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,30}$")]
Role = Literal["viewer", "staff", "admin"]


def _refuse_common(password: str) -> str:
    if is_common(password):
        raise PydanticCustomError("common-password", "This is one of the commonest passwords")
    return password


def _short_enough(email: str) -> str:
    if len(email) > 254:
        raise ValueError("at most 254 characters")
    return email


Password = Annotated[str, StringConstraints(min_length=8, max_length=128), AfterValidator(_refuse_common)]
AnyPassword = Annotated[str, StringConstraints(max_length=128)]  # one to compare: the rules were other ones, once
Email = Annotated[EmailStr, AfterValidator(_short_enough)]
AnyEmail = Annotated[str, StringConstraints(max_length=254)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Code = Annotated[str, StringConstraints(min_length=6, max_length=20)]


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


class UpdateMe(StrictModel):
    username: Username | None = None
    email: Email | None = None


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
    search: Annotated[Line, StringConstraints(max_length=254)] | None = None
    role: Role | None = None
    active: bool | None = None
    limit: str | None = None
    cursor: str | None = None


class PageQuery(StrictQuery):
    limit: str | None = None
    cursor: str | None = None


class UserOut(StrictModel):
    id: str
    username: str
    email: str
    roles: list[Role]
    active: bool
    email_verified: bool
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
