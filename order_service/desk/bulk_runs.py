"""An action on all matches of a list, in steps of one request each: a request may take two seconds, and each row is a transaction.

The page between two steps carries the run: where it is, and its results so far. It is signed, so that no one can send another one.
The rows are those that match at each step, from the newest of the confirmation down to the oldest.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from django.core import signing
from django.db.models import QuerySet

from order_service.desk.model_admin import MAX_COUNTED

STATE = "run"  # the field of the form
MAX_AGE = 8 * 3600  # seconds, as long as a login of the desk lasts
MAX_REFUSALS = 50  # rows that the result lists
Rows = Sequence[tuple[Any, Any]]
"""Each row's primary key, and the key that its action takes."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How far a run is. `upto`: the newest row of the confirmation. `last`: the oldest row that is done.

    `refusals`: the first MAX_REFUSALS refused rows, each with the reason.
    """

    upto: Any
    total: int
    last: Any = None
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: tuple[tuple[str, str], ...] = ()

    @property
    def done(self) -> int:
        """How many rows are done."""
        return self.changed + self.unchanged + self.refused

    @property
    def unlisted(self) -> int:
        """How many refused rows `refusals` leaves out."""
        return self.refused - len(self.refusals)

    def seal(self, action: str) -> str:
        """The run as a signed text, which is good for one action."""
        return signing.dumps(asdict(self), salt=f"bulk {action}", compress=True)

    @classmethod
    def unseal(cls, text: str, action: str) -> Self | None:
        """The run of a signed text. None for a text that is older than MAX_AGE, or not ours."""
        try:
            found = signing.loads(text, salt=f"bulk {action}", max_age=MAX_AGE)
        except signing.BadSignature:
            return None
        refusals = tuple((key, reason) for key, reason in found.pop("refusals"))
        return cls(**found, refusals=refusals)

    def next_rows(self, matches: QuerySet[Any], field: str, limit: int) -> Rows:
        """The rows of the next step, newest first."""
        rest = matches.filter(pk__lte=self.upto) if self.last is None else matches.filter(pk__lt=self.last)
        return list(rest.order_by("-pk").values_list("pk", field)[:limit])

    def after(self, rows: Rows, results: Sequence[tuple[str, str, str]]) -> Self:
        """The run after a step. `results`: of each row its key, outcome and reason."""
        outcomes = [outcome for _, outcome, _ in results]
        refusals = [(key, reason) for key, outcome, reason in results if outcome == "refused"]
        return replace(
            self,
            last=rows[-1][0] if rows else self.last,
            changed=self.changed + outcomes.count("changed"),
            unchanged=self.unchanged + outcomes.count("unchanged"),
            refused=self.refused + outcomes.count("refused"),
            refusals=(*self.refusals, *refusals)[:MAX_REFUSALS],
        )


def newest_key(matches: QuerySet[Any]) -> Any:
    """The primary key of the newest row."""
    return matches.order_by("-pk").values_list("pk", flat=True).first()


def count_rows(matches: QuerySet[Any]) -> int:
    """The number of rows, at most MAX_COUNTED."""
    return int(matches.order_by()[:MAX_COUNTED].count())
