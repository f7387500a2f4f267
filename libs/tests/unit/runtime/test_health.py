"""What the health page says of what is down."""

import pytest
from MySQLdb import OperationalError
from pymongo.errors import OperationFailure

from libs.runtime import health
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


def test_after_a_slow_failure_the_status_of_the_workers_is_not_read_for_a_while(monkeypatch):
    now, reads = [1000.0], []

    def read():
        reads.append(now[0])
        now[0] += seconds
        raise ConnectionError

    monkeypatch.setattr(health.time, "monotonic", lambda: now[0])
    service, seconds = Health("x", "1", workers=read), 0.1
    assert [service.worker_statuses() for _ in range(3)] == [[], [], []]
    assert len(reads) == 3  # quick failures cost nothing
    seconds = 4.0
    assert [service.worker_statuses() for _ in range(3)] == [[], [], []]
    assert len(reads) == 4
    now[0] += health.REST_SECONDS
    service.worker_statuses()
    assert len(reads) == 5


def test_one_service_rests_and_another_does_not():
    assert Health("x", "1")._rest is not Health("y", "1")._rest
