"""The bench's shop while it runs: started with what a part needs, and filled once."""

from __future__ import annotations

import time

from bench.shop import Data, open_shop
from bench.sink import Sink
from deploy.local.console import step
from deploy.local.errors import LocalError
from tests.shop import Shop


class Stage:
    """Starts the shop when a part needs it: with the mail catcher, or with a quick mail server of our own."""

    def __init__(self) -> None:
        self.shop: Shop = open_shop()
        self._sink: Sink | None = None
        self._data: Data | None = None
        self._runs = False

    def up(self) -> float:
        """Start what does not run. Returns the seconds."""
        started = time.monotonic()
        done = self.shop.command("up")
        if done.returncode:
            raise LocalError(f"the shop does not start: {done.stderr.strip()}")
        self._runs = True
        return time.monotonic() - started

    def down(self) -> None:
        """Stop everything."""
        self.shop.command("down")
        self._runs = False

    def use_catcher(self) -> None:
        """Run with the mail catcher, as a local stack does."""
        if self._sink:
            raise LocalError("the mail server of the bench runs already: parts with the mail catcher come first")
        if not self._runs:
            with step("starting"):
                self.up()

    def use_sink(self) -> Sink:
        """Run with our mail server: the stack starts no catcher when somebody answers there."""
        if not self._sink:
            self.down()
            self._sink = Sink(int(self.shop.env["SMTP_PORT"]))
            self._sink.start()
        if not self._runs:
            with step("starting with another mail server"):
                self.up()
        return self._sink

    def restart(self, variables: dict[str, str]) -> None:
        """Start again what these variables concern."""
        env = self.shop.env | variables
        self.shop.env_file.write_text("".join(f"{name}={value}\n" for name, value in env.items()))
        self.shop = Shop(self.shop.state, env)
        self.up()

    def data(self) -> Data:
        """A customer with orders, and products."""
        if not self._data:
            with step("filling the shop"):
                self._data = Data(self.shop)
        return self._data
