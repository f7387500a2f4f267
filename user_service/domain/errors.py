"""Domain errors: kind, code and title. `libs.values.errors` describes their base."""

from libs.values.errors import DomainError, ErrorKind, LimitReached, Unavailable


class EmailTaken(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "email-taken", "Another account has this e-mail address"


class UsernameTaken(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "username-taken", "Another account has this username"


class WrongCredentials(DomainError):
    kind, code, title = ErrorKind.UNAUTHENTICATED, "wrong-credentials", "E-mail address or password is wrong"


class CodeRequired(DomainError):
    kind, code, title = (
        ErrorKind.UNAUTHENTICATED,
        "code-required",
        "Enter the code of your authenticator, or a recovery code",
    )


class SessionEnded(DomainError):
    kind, code, title = ErrorKind.UNAUTHENTICATED, "session-ended", "This session has ended. Log in again"


class TokenInvalid(DomainError):
    kind, code, title = (
        ErrorKind.INVALID,
        "token-invalid",
        "The link was used before, has expired or is wrong. Request a new one",
    )


class AlreadyVerified(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "already-verified", "Your e-mail address is verified already"


class LinkReissued(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "link-reissued", "A new link was sent in place of this one already"


class UnknownSession(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-session", "You have no session with this id"


class NoSecondFactor(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "no-second-factor", "The account has no authenticator. Set one up first"


class HasSecondFactor(DomainError):
    kind, code, title = (ErrorKind.CONFLICT, "has-second-factor", "The account has an authenticator. Remove it first")


class EmailNotVerified(DomainError):
    kind, code = ErrorKind.CONFLICT, "email-not-verified"
    title = "Verify your e-mail address first, by the link in our mail"


class ApprovalRequired(DomainError):
    kind, code, title = (
        ErrorKind.FORBIDDEN,
        "approval-required",
        "An admin has to approve the authenticator of this account first",
    )


class ExportInFlight(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "export-in-flight", "An export of your data is running. Wait until it ends"


class TooManyExports(Unavailable):
    code, title = "busy", "Too many exports at the same time. Try again soon"


class ExportInterrupted(Exception):
    """An export can't continue after its response has begun. The connection is closed, so the client sees that it is incomplete."""


class TooManyHashes(Unavailable):
    code, title = "busy", "Too many logins at the same time. Try again soon"


class TooManyAttempts(LimitReached):
    code, title = "too-many-attempts", "Too many attempts. Try again later"


class UnknownUser(DomainError):
    kind, code, title = ErrorKind.MISSING, "unknown-user", "No user has this id"


class OwnAccount(DomainError):
    kind, code, title = ErrorKind.CONFLICT, "own-account", "You cannot manage your own account. Ask another admin"
