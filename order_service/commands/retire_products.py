"""`python -m order_service retire-products --below FLOOR`: take products off sale that product_service's older copy lacks."""

import argparse
import sys
from collections.abc import Sequence

from libs.messaging.kafka.brokers import Brokers
from libs.messaging.kafka.group_progress import has_handled_all
from order_service.events.topics import CATALOGUE, CATALOGUE_GROUP
from order_service.use_cases.stock.retire_products import retire_products


def retire(brokers: Brokers, arguments: Sequence[str]) -> int:
    """Retire the products; return 0, or 1 while the republished products are not read. Raises KafkaException."""
    parser = argparse.ArgumentParser(prog="retire-products", description=__doc__)
    parser.add_argument(
        "--below", type=int, required=True, metavar="FLOOR", help="as `republish --restored` printed it"
    )
    below = parser.parse_args(arguments).below
    if not has_handled_all(brokers, CATALOGUE_GROUP, CATALOGUE):
        sys.stderr.write(
            "The worker has not read all products yet. Wait until its lag is 0, then run the command again\n"
        )
        return 1
    sys.stdout.write(f"{retire_products(below=below)} products are off sale\n")
    return 0
