"""Kafka in KRaft mode: broker and controller in one process, replication 1."""

import os
import shutil
import subprocess
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.install.programs import KAFKA_LIBS, java
from deploy.local.errors import LocalError, NotReady
from deploy.local.ports import LOOPBACK, is_open
from deploy.local.state import State
from deploy.local.supervision.process import Process

HERE = Path(__file__).parent
SETTINGS = "kafka.properties"
FILES = ("kafka-java.options", "kafka-log4j2.properties")
UTF_8 = {"LC_ALL": "C.UTF-8"}
"""Java decodes the path of its own directory by the locale."""


@dataclass(frozen=True)
class Kafka:
    """One broker. Only the broker itself uses the controller's port."""

    state: State
    port: int
    controller_port: int
    name = "kafka"

    @property
    def ports(self) -> dict[str, int]:
        return {"KAFKA_BROKERS": self.port, "KAFKA_CONTROLLER_PORT": self.controller_port}

    @property
    def brokers(self) -> str:
        """The bootstrap address."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def _directory(self) -> Path:
        """Where Java runs. All paths that it gets are relative to this directory, and ASCII.

        Java reads a properties file as Latin-1. Kafka splits the path of its data at commas, and log4j takes its path
        as a list of addresses.
        """
        return self.state.run / "kafka"

    def prepare(self) -> None:
        """Write the settings. Format the log directory beside its place and move it there complete."""
        data = self.state.data / "kafka"
        self._directory.mkdir(exist_ok=True)
        for name in FILES:
            shutil.copyfile(HERE / name, self._directory / name)
        libs = self._directory / "libs"
        libs.unlink(missing_ok=True)
        libs.symlink_to(KAFKA_LIBS)
        if not data.exists():
            fresh = self.state.data / "kafka.new"
            shutil.rmtree(fresh, ignore_errors=True)
            self._write_settings(fresh.name)
            # With "=", because one id in 64 begins with a dash.
            cluster = f"--cluster-id={urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('=')}"
            command = [*self._java(), "kafka.tools.StorageTool", "format", cluster, "-c", SETTINGS]
            env = dict(os.environ) | UTF_8
            done = subprocess.run(command, cwd=self._directory, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                raise LocalError(f"the Kafka log directory could not be made: {(done.stderr or done.stdout)[-400:]}")
            fresh.rename(data)
        self._write_settings("kafka")

    def _write_settings(self, name: str) -> None:
        ours = {
            "log.dirs": f"../../data/{name}",
            "listeners": f"PLAINTEXT://{self.brokers},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.brokers}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.controller_port}",
        }
        lines = "".join(f"{name}={value}\n" for name, value in ours.items())
        (self._directory / SETTINGS).write_text((HERE / SETTINGS).read_text() + lines)

    def _java(self) -> tuple[str, ...]:
        options, log4j = FILES
        temporary = "-Djava.io.tmpdir=../tmp"
        return (java(), f"@{options}", temporary, f"-Dlog4j2.configurationFile={log4j}", "-cp", "libs/*")

    def process(self) -> Process:
        command = (*self._java(), "kafka.Kafka", SETTINGS)
        return Process(self.name, command, UTF_8, stop_seconds=45, directory=self._directory)

    def check(self) -> None:
        """Read the cluster's metadata: an open port alone is not a broker that works."""
        if not is_open(self.port):
            raise NotReady(f"kafka on port {self.port} does not listen")
        # log_level 0 drops the client's own log lines about a broker that is still starting.
        admin = AdminClient({"bootstrap.servers": self.brokers, "log_level": 0})
        try:
            brokers = admin.list_topics(timeout=3).brokers
        except KafkaException as error:
            raise NotReady(f"kafka on port {self.port} does not answer: {error.args[0].str()}") from None
        if not brokers:
            raise NotReady(f"kafka on port {self.port} has no broker yet")
