"""`python -m order_service reconcile`: where orders and reservations differ, and with `--fix` requests that repair it."""

import argparse
import sys
from collections.abc import Sequence

from libs.values.times import rfc3339
from order_service.domain.reconciliation import Difference
from order_service.store import reconciliation
from order_service.use_cases.stock.repair_difference import repair_difference


def reconcile(arguments: Sequence[str]) -> int:
    """Print a line for each difference that the last round found. Return 1 when there is one, else 0."""
    parser = argparse.ArgumentParser(prog="reconcile", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="ask product_service to repair each difference")
    options = parser.parse_args(arguments)
    found = reconciliation.differences()
    for difference in found:
        _say(f"{difference}{_mend(difference) if options.fix else ''}")
    checked_at = reconciliation.checked_at()
    _say(f"{len(found)} differences, " + (f"checked at {rfc3339(checked_at)}" if checked_at else "not checked yet"))
    return 1 if found else 0


def _mend(difference: Difference) -> str:
    return (
        ": product_service is asked" if repair_difference(difference) else ": look at the order, it cannot be repaired"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
