"""`python -m product_service check-stock`: report where stock, movements and reservations disagree."""

import sys

from product_service.queries.stock_audit import count_checked, find_violations, snapshot


def check_stock() -> int:
    """Print a line for each violation and a summary; return 1 when there is a violation, else 0. Reads only."""
    violations = 0
    with snapshot() as moment:
        for violation in find_violations(moment):
            violations += 1
            sys.stdout.write(f"{violation}\n")
        products, reservations = count_checked(moment)
    sys.stdout.write(f"{products} products, {reservations} reservations: {violations} violations\n")
    return 1 if violations else 0
