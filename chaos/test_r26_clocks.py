"""R26: the clock of a process is minutes off, or jumps by an hour. All is decided and mailed once, revoked tokens stay revoked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

import pytest

from chaos.harness.customers import PASSWORD, Customers
from chaos.harness.figures import note
from chaos.harness.http import Target
from chaos.harness.post import Post
from chaos.harness.quiet import wait_quiet
from chaos.harness.stack import WEB, Stack
from chaos.harness.stores import Stores
from chaos.harness.topics import Ends, Topics
from chaos.harness.waiting import promised, wait_until
from chaos.test_r05_a_relay_takes_over import TAKEOVER_SECONDS, leader

HOUR = 3600
SKEWS = (300, -300, HOUR, 0)
"""One after the other, so the last two are jumps of more than an hour."""
REVOKED_SECONDS = promised(5.0)
PROCESSES = ("user-web", "user-worker", "product-web", "product-worker", "order-web", "order-worker", "notification")


class Clocks:
    """Sets the clocks of processes. A process gets a clock of its own by a restart, and then it can jump."""

    def __init__(self, stack: Stack) -> None:
        self._stack, self._set = stack, set[str]()

    def set(self, name: str, seconds: float) -> None:
        """The clock of a process is ahead by so many seconds."""
        child = self._stack.children[name]
        child.set_clock(seconds)
        if name not in self._set:
            self._set.add(name)
            child.stop()
            self._stack.supervisor.start(child)
        if name in WEB:
            self._stack.wait_ready(name)

    def right(self) -> None:
        """All clocks are right."""
        for name in self._set & self._stack.children.keys():
            self._stack.children[name].set_clock(0)


@pytest.fixture
def clocks(stack: Stack) -> Iterator[Clocks]:
    clocks = Clocks(stack)
    yield clocks
    clocks.right()


class Person:
    """A login, and what its token opens."""

    def __init__(self, customers: Customers, email: str, password: str) -> None:
        answer = customers.at("user").call("POST", "/login", {"email": email, "password": password})
        assert answer.status == 200, answer
        self._tokens, self._user = answer.json, customers.at("user")

    @property
    def token(self) -> str:
        return str(self._tokens["token"])

    def log_out(self) -> None:
        assert self._user.call("POST", "/logout", {"refresh": self._tokens["refresh"]}).status == 204


def doors(stack: Stack, product_id: str) -> dict[str, Callable[[str], int]]:
    """A request of staff to each service: the status for a token."""
    at = {
        name: Target(name, stack.target(name).port) for name in ("user-web", "product-web", "order-web", "notification")
    }
    body = {"description": "seen"}
    return {
        "user-web": lambda token: at["user-web"].get("/users/me", token).status,
        "product-web": lambda token: at["product-web"].call("PATCH", f"/products/{product_id}", body, token).status,
        "order-web": lambda token: at["order-web"].get("/orders", token).status,
        "notification": lambda token: at["notification"].get("/emails", token).status,
    }


def words(stack: Stack, name: str, seconds: int) -> str:
    """What the health of a service says of the clock of one of its processes."""
    if not seconds:
        return ""
    whose = "the worker" if name.endswith("worker") else "this process"
    return f"the clock of {whose} is {abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'}"


def check_shown(stack: Stack, name: str, seconds: int) -> None:
    """The fault happened, and /health says so. notification_service has no database to compare with: its mails show it."""
    if name == "notification":
        return
    web = stack.target(f"{name.partition('-')[0]}-web")

    def shown() -> bool:
        reason = str(web.get("/health").json["checks"]["worker"].get("reason", ""))
        said = words(stack, name, seconds)
        return said in reason if said else "clock" not in reason

    wait_until(shown, 30, lambda: web.get("/health").body)


@pytest.mark.parametrize(
    "name", [pytest.param("order-web", marks=pytest.mark.quick), *(p for p in PROCESSES if p != "order-web")]
)
def test_a_process_with_a_wrong_clock_spoils_nothing(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, clocks: Clocks, name: str
) -> None:
    """Minutes ahead, minutes behind, a jump of an hour, and back: each time a customer, an order, a revoked token."""
    product_id, revoked = customers.new_product()["id"], list[str]()
    open_doors = doors(stack, product_id)
    get = stack.settings.get
    for skew in SKEWS:
        clocks.set(name, skew)
        check_shown(stack, name, skew)
        person = customers.new_name("buyer")
        assert customers.register(person).status == 201
        buyer = Person(customers, f"{person}@example.com", PASSWORD)
        order = customers.at("order").call("POST", "/orders", {"productId": product_id, "quantity": 1}, buyer.token)
        assert order.status == 201, (skew, order)
        path = f"/orders/{order.json['orderId']}"

        def status() -> str:
            return str(customers.at("order").get(path, buyer.token).json["status"])  # noqa: B023

        wait_until(lambda: status() == "confirmed", 60, status)
        staff = Person(customers, get("STAFF_EMAIL"), get("STAFF_PASSWORD"))
        for door, knock in open_doors.items():
            if name != "notification" or door != name or 0 <= skew < HOUR:  # its own clock judges tokens
                wait_until(lambda: knock(staff.token) == 200, 10, lambda: (skew, door, knock(staff.token)))  # noqa: B023
        staff.log_out()
        revoked.append(staff.token)
        for door, knock in open_doors.items():
            for token in revoked:
                wait_until(lambda: knock(token) == 401, REVOKED_SECONDS, lambda: (skew, door, knock(token)))  # noqa: B023
        wait_quiet(stores, topics)
        if name == "notification":
            check_mailed_by(stack, f"{person}@example.com", skew)
    again = Post(stack.sink, customers.tag).check(topics, start, "R26")
    assert again == 0
    note(
        "R26",
        f"{name}: clock ahead by {', '.join(map(str, SKEWS))} s: all decided and mailed once, {len(revoked)} tokens refused",
    )


def check_mailed_by(stack: Stack, email: str, skew: int) -> None:
    """The date of the mails shows the clock of the process that sent them."""
    for mail in stack.sink.to(email):
        date = parsedate_to_datetime(str(mail.message["Date"])).timestamp()
        assert abs(date - mail.at - skew) < 120, (date, skew)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_the_relay_s_lease_survives_a_jump_of_the_clock(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, clocks: Clocks, jump: int
) -> None:
    """The leader stays leader. When it dies, the other one takes over in time, whose clock has jumped too."""
    product_id = customers.new_product()["id"]
    clocks.set("product-worker", 0)
    stack.start("product-worker", copy=2)
    clocks.set("product-worker-2", 0)
    first = leader(stack, stores)
    owner = lease_owner(stores)
    for name in ("product-worker", "product-worker-2"):
        clocks.set(name, jump)
    for _ in range(20):
        assert customers.describe(product_id).status == 200
    wait_quiet(stores, topics)
    assert lease_owner(stores) == owner
    first.wanted = False
    first.kill()
    assert customers.describe(product_id).status == 200
    seconds = wait_until(lambda: not stores.shelf["outbox"].count_documents({}), TAKEOVER_SECONDS + 5)
    assert seconds <= TAKEOVER_SECONDS
    note(
        "R26",
        f"clocks of both relays set by {jump} s: the leader stayed, and {seconds:.1f} s after its death the other published",
    )


def lease_owner(stores: Stores) -> str:
    """Which relay of product_service has the lease."""
    row = stores.shelf["relay_lease"].find_one({"_id": "relay"})
    assert row is not None
    return str(row["owner"])


def test_no_timer_of_an_order_runs_out_by_a_jump(
    stack: Stack, customers: Customers, stores: Stores, topics: Topics, start: Ends, clocks: Clocks
) -> None:
    """An order waits for product_service while the clock of order_service's processes jumps past ORDER_PENDING_LIMIT."""
    product_id = customers.new_product()["id"]
    for name in ("order-worker", "order-web"):
        clocks.set(name, 0)
    stack.children["product-worker"].stop()
    placed = customers.order(product_id)
    assert placed.status == 201
    wait_until(lambda: stores.sql("SELECT published_at FROM pending_orders")[0]["published_at"], 30, "not published")
    for name in ("order-worker", "order-web"):
        clocks.set(name, HOUR)
        check_shown(stack, name, HOUR)
    jumped = beat(stores)
    wait_until(
        lambda: beat(stores) > jumped + 6, 60, "the worker makes no turns"
    )  # its task for orders makes one a second
    assert stores.pending() == 1
    stack.supervisor.start(stack.children["product-worker"])
    wait_quiet(stores, topics)
    (order,) = stores.orders(product_id)
    assert order["status"] == "confirmed"


def beat(stores: Stores) -> float:
    """When the worker of order_service has written its status, in seconds since the epoch, by the database's clock."""
    return float(stores.sql("SELECT MAX(beat) AS at FROM worker_states")[0]["at"])
