"""The shapes that come in and go out."""

from typing import Annotated, Literal

from pydantic import AfterValidator, EmailStr, Field, StringConstraints

from chassis.schemas import Body, Line, Query

Username = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{3,30}$")]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]
Role = Literal["viewer", "staff", "admin"]


def _short_enough(email: str) -> str:
    if len(email) > 254:
        raise ValueError("at most 254 characters")
    return email


Email = Annotated[EmailStr, AfterValidator(_short_enough)]


class Register(Body):
    username: Username
    email: Email
    password: Password


class Login(Body):
    email: Annotated[str, StringConstraints(max_length=254)]
    password: Annotated[str, StringConstraints(max_length=128)]


class UpdateMe(Body):
    username: Username | None = None
    email: Email | None = None


class ChangePassword(Body):
    current: Annotated[str, StringConstraints(max_length=128)]
    new: Password


class PatchUser(Body):
    active: bool | None = None
    roles: list[Role] | None = Field(None, max_length=3)


class UsersQuery(Query):
    search: Annotated[Line, StringConstraints(max_length=254)] | None = None
    role: Role | None = None
    active: bool | None = None
    limit: str | None = None
    cursor: str | None = None


class UserOut(Body):
    id: str
    username: str
    email: str
    roles: list[Role]
    active: bool
    email_verified: bool
    created_at: str
    updated_at: str


class Registered(Body):
    status: Literal["User created"]
    user_id: str


class LoggedIn(Body):
    token: str
    expires_in: int


class UserPage(Body):
    next: str | None
    previous: str | None
    results: list[UserOut]
