"""`python -m order_service republish-cancelled`: ask product_service again to release the stock of cancelled orders."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from order_service.use_cases.stock.republish_cancelled import republish_cancelled


def republish(arguments: Sequence[str]) -> int:
    """Store the requests; return the exit status."""
    parser = argparse.ArgumentParser(prog="republish-cancelled", description=__doc__)
    parser.add_argument("--since", type=_time, help="only orders cancelled since then, such as 2026-01-31T12:00:00Z")
    since = parser.parse_args(arguments).since
    sys.stdout.write(f"{republish_cancelled(since=since)} cancellations will be published again by the worker\n")
    return 0


def _time(text: str) -> datetime:
    """A time with its zone; without one it is UTC. argparse shows the text of the error."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("Enter a time such as 2026-01-31T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
