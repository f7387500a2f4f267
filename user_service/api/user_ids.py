"""The part of a path that is an account's id. `me` is none, so a method that /users/me does not have is 405 for everyone."""

from werkzeug.routing import BaseConverter


class UserIdConverter(BaseConverter):
    """`<user_id:user_id>` in a rule: any text but `me`."""

    regex = r"(?!me\Z)[^/]+"
    part_isolating = (
        True  # the pattern names a slash, and yet an id has none: so a slash after it is ignored as everywhere
    )
