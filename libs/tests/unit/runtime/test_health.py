"""What the health page says of what is down."""

import pytest
from MySQLdb import OperationalError
from pymongo.errors import OperationFailure

from libs.runtime.health import CheckFailed, Health

REFUSED = "the server refuses the login: the account or its password is wrong"


def fail_with(error):
    def check():
        raise error

    return Health("sample", "1", required={"store": check}).ready()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationFailure("Authentication failed.", 18), REFUSED),
        (OperationalError(1045, "Access denied for user 'shop'@'10.0.0.1' (using password: YES)"), REFUSED),
        (OperationalError(2003, "Can't connect to server"), "OperationalError"),
        (OperationFailure("not primary", 10107), "OperationFailure"),
        (TimeoutError(), "TimeoutError"),
        (CheckFailed("not loaded yet"), "not loaded yet"),
    ],
)
def test_a_refused_login_is_shown_in_words_and_an_outage_by_its_name(error, reason):
    status, report = fail_with(error)
    assert status == 503
    assert report["checks"]["store"] == {"status": "down", "reason": reason}
