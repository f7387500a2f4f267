"""R17: whoever repeats a POST /orders with its Idempotency-Key has ordered once, whatever became of the first attempt."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from chaos.harness.customers import Customers
from chaos.harness.figures import note
from chaos.harness.http import Answer
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import wait_until

KEYS = 100
PARALLEL = 50


def settled(customers: Customers, product_id: str, key: str) -> Answer:
    """Post until the answer is neither `in flight` (409) nor unknown, as the header's users are told to."""
    answers: list[Answer] = []

    def post() -> bool:
        answers.append(customers.order(product_id, tag=key, Idempotency_Key=key))
        return answers[-1].outcome == "ok"

    wait_until(post, 60, lambda: answers[-1])
    return answers[-1]


def test_fifty_parallel_posts_of_each_of_a_hundred_keys_make_a_hundred_orders(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends
) -> None:
    """R17: each post is answered with the one order, or told that it is being made."""
    product_id = customers.new_product()["id"]
    keys = [customers.new_name("key") for _ in range(KEYS)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        for key in keys:
            posts = [pool.submit(customers.order, product_id, tag=key, Idempotency_Key=key) for _ in range(PARALLEL)]
            answers = [post.result() for post in posts]
            assert {answer.status for answer in answers} <= {201, 409}, Counter(answer.status for answer in answers)
            made = {answer.body for answer in answers if answer.status == 201}
            assert len(made) == 1
    replayed = {key: settled(customers, product_id, key) for key in keys}
    orders = stores.orders(product_id)
    assert Counter(order["tag"] for order in orders) == dict.fromkeys(keys, 1)
    assert {answer.json["orderId"] for answer in replayed.values()} == {order["id"] for order in orders}
    assert customers.order(product_id, quantity=2, tag=keys[0], Idempotency_Key=keys[0]).status == 422
    wait_quiet(stores, topics)


@pytest.mark.quick
def test_a_web_process_killed_in_the_middle_of_a_post_leaves_one_order_after_the_retry(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R17: two kills that hit a request."""
    killed(stack, customers, stores, topics, rng, kills=2)


def test_twenty_kills_of_the_web_process_leave_one_order_a_key(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, rng: random.Random
) -> None:
    """R17: twenty kills that hit a request."""
    killed(stack, customers, stores, topics, rng, kills=20)


def wait_answers(customers: Customers, count: int) -> None:
    """Wait until so many calls more are answered."""
    goal = len(customers.history.calls()) + count
    wait_until(lambda: len(customers.history.calls()) >= goal, 10, every=0.001)


def killed(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, rng: random.Random, *, kills: int
) -> None:
    """kill -9 at a random moment of a burst of posts, then retry each until it is answered; only kills that hit a post count."""
    product_id, web = customers.new_product()["id"], stack.children["order-web"]
    keys: list[str] = []
    hits = tries = 0
    with ThreadPoolExecutor(8) as pool:
        while hits < kills:
            tries += 1
            assert tries <= 3 * kills + 5, f"{hits} of {tries - 1} kills hit a request"
            stack.wait_ready("order-web")
            fresh = [customers.new_name("key") for _ in range(8)]
            keys += fresh
            first = [pool.submit(customers.order, product_id, tag=key, Idempotency_Key=key) for key in fresh]
            wait_answers(customers, rng.randint(0, 4))
            web.kill()
            hits += any(post.result().outcome == "info" for post in first)
            for key in fresh:
                settled(customers, product_id, key)
    note("R17", f"{hits} of {tries} kills hit a request, {len(keys)} keys")
    assert Counter(order["tag"] for order in stores.orders(product_id)) == dict.fromkeys(keys, 1)
    wait_quiet(stores, topics)
