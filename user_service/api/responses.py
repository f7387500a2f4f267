"""The JSON of the responses. Accounts and sessions become JSON here only."""

from collections.abc import Iterator
from typing import Any

import orjson
from pydantic import SecretStr

from libs.access.tokens import AccessTokens
from libs.values.pages import Page
from libs.values.times import rfc3339
from user_service.domain.account_change import AccountChange
from user_service.domain.second_factor import SecretOffer
from user_service.domain.session import Session, TokenGrant
from user_service.domain.user import User
from user_service.queries.account_export import AccountExport


def to_public(user: User) -> dict[str, Any]:
    """An account as clients see it."""
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email.text,
        "roles": user.roles,
        "active": user.active,
        "emailVerified": user.email_verified,
        "secondFactor": user.second_factor is not None,
        "createdAt": rfc3339(user.created_at),
        "updatedAt": rfc3339(user.updated_at),
    }


def to_user_page(page: Page[User], url: str) -> dict[str, Any]:
    """A page of accounts. `url` is the address of the request."""
    return page.render(url, to_public)


def to_change(change: AccountChange) -> dict[str, Any]:
    """A change of an account as viewers see it."""
    return {
        "id": change.id,
        "at": rfc3339(change.at),
        "actor": change.actor,
        "action": change.action,
        "changes": change.changes,
    }


def to_change_page(page: Page[AccountChange], url: str) -> dict[str, Any]:
    """A page of changes. `url` is the address of the request."""
    return page.render(url, to_change)


def to_registered(user: User) -> dict[str, Any]:
    """The response to a registration."""
    return {"status": "User created", "userId": user.id}


def to_session(session: Session, *, current: str | None) -> dict[str, Any]:
    """A session as its owner sees it. `current` is the id of the session that the request belongs to."""
    return {
        "id": session.id,
        "current": session.id == current,
        "address": session.device.address,
        "agent": session.device.agent,
        "createdAt": rfc3339(session.created_at),
        "refreshedAt": rfc3339(session.refreshed_at),
        "expiresAt": rfc3339(session.expires_at),
    }


def to_session_page(page: Page[Session], url: str, *, current: str | None) -> dict[str, Any]:
    """A page of sessions."""
    return page.render(url, lambda session: to_session(session, current=current))


def to_token_pair(
    grant: TokenGrant, *, tokens: AccessTokens, key: SecretStr, second_factor_required: bool
) -> dict[str, Any]:
    """The response to a login or a refresh. `key` signs the refresh token."""
    user = grant.user
    access_token = tokens.mint(
        user_id=user.id,
        email=user.email.text,
        username=user.username,
        roles=user.effective_roles(second_factor_required=second_factor_required),
        email_verified=user.email_verified,
        sid=grant.session.id,
        issued_at=grant.issued_at,
    )
    refresh_token = grant.session.refresh_token.sign(key)
    return {"token": access_token, "expiresIn": tokens.lifetime_seconds, "refresh": refresh_token}


def to_secret_offer(offer: SecretOffer) -> dict[str, Any]:
    """A secret for an authenticator."""
    return {"secret": offer.secret, "uri": offer.uri}


def to_recovery_codes(codes: list[str]) -> dict[str, Any]:
    """Recovery codes, which are shown once."""
    return {"recoveryCodes": codes}


def to_accepted() -> dict[str, Any]:
    """The response to a request that shows nothing about its result."""
    return {"status": "accepted"}


def stream_export(export: AccountExport, *, current: str | None) -> Iterator[bytes]:
    """All data of a customer as parts of one JSON object: `{account, sessions, orders}`, a part per order."""
    account = orjson.dumps(to_public(export.account))
    sessions = orjson.dumps([to_session(session, current=current) for session in export.sessions])
    yield b'{"account":' + account + b',"sessions":' + sessions + b',"orders":['
    for number, order in enumerate(export.orders):
        yield (b"," if number else b"") + orjson.dumps(order)
    yield b"]}"
