"""MongoDB as a replica set of one: transactions need a replica set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.install.programs import mongod
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.state import State
from deploy.local.supervision.process import Process
from deploy.service_list import mongo_names

NOT_YET_INITIALIZED = 94
NOT_A_MEMBER = 93  # InvalidReplicaSetConfig: the stored host and port are not ours
CONFIG = Path(__file__).with_name("mongod.conf")

Client = MongoClient[dict[str, Any]]


@dataclass(frozen=True)
class Mongo:
    """One server without accounts: it listens on loopback only."""

    state: State
    port: int
    name = "mongo"

    @property
    def ports(self) -> dict[str, int]:
        return {" and ".join(f"MONGO_URI_{name.upper()}" for name in mongo_names()): self.port}

    def prepare(self) -> None:
        (self.state.data / "mongo").mkdir(parents=True, exist_ok=True)

    def process(self) -> Process:
        binary = mongod()
        place = (f"--dbpath={self.state.data / 'mongo'}", f"--port={self.port}")
        return Process(self.name, (str(binary.program), f"--config={CONFIG}", *place), binary.env, stop_seconds=30)

    def check(self) -> None:
        """Form the replica set when needed. Raises NotReady until the server is primary."""
        client: Client = MongoClient(
            LOOPBACK, self.port, directConnection=True, serverSelectionTimeoutMS=1000, timeoutMS=5000
        )
        try:
            with client:
                self._form_replica_set(client)
                writable = client.admin.command("hello")["isWritablePrimary"]
        except PyMongoError as error:
            raise NotReady(f"mongo on port {self.port} does not answer: {str(error)[:200]}") from None
        if not writable:
            raise NotReady(f"mongo on port {self.port} is not primary yet")

    def _form_replica_set(self, client: Client) -> None:
        try:
            client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code == NOT_YET_INITIALIZED:
                member = {"_id": 0, "host": f"{LOOPBACK}:{self.port}"}
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
            elif error.code == NOT_A_MEMBER:
                self._move_member(client)
            else:
                raise

    def _move_member(self, client: Client) -> None:
        """Give the set's only member its new address: the data was made on another port."""
        config = client.local["system.replset"].find_one({})
        if config is None:
            raise NotReady("mongo has no replica set configuration")
        config["members"][0]["host"] = f"{LOOPBACK}:{self.port}"
        config["version"] = int(config["version"]) + 1
        client.admin.command("replSetReconfig", config, force=True)
