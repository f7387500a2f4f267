"""MongoDB as a replica set of one: transactions need a replica set."""

from __future__ import annotations

from dataclasses import dataclass

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.process import Process
from deploy.local.servers.programs import mongod
from deploy.local.state import State

NOT_YET_INITIALIZED = 94
NOT_A_MEMBER = 93  # InvalidReplicaSetConfig: the stored host and port are not ours
REPLICA_SET = "rs0"


@dataclass(frozen=True)
class Mongo:
    """One server without accounts: it listens on loopback only."""

    state: State
    port: int
    name = "mongo"

    @property
    def ports(self) -> dict[str, int]:
        return {"MONGO_URI_USER and MONGO_URI_PRODUCT": self.port}

    def uri(self, database: str) -> str:
        """The address of a database, as the services take it."""
        return f"mongodb://{LOOPBACK}:{self.port}/{database}?replicaSet={REPLICA_SET}"

    def prepare(self) -> None:
        (self.state.data / "mongo").mkdir(parents=True, exist_ok=True)

    def process(self) -> Process:
        binary = mongod()
        argv = (
            str(binary.program),
            f"--dbpath={self.state.data / 'mongo'}",
            f"--port={self.port}",
            f"--bind_ip={LOOPBACK}",
            f"--replSet={REPLICA_SET}",
            "--wiredTigerCacheSizeGB=0.25",  # the default takes half of the machine's memory
            # What a killed process leaves open locks its documents for so long; ours last 4 s at most (docs/adr/0028).
            "--setParameter=transactionLifetimeLimitSeconds=5",
            "--oplogSize=256",
            "--nounixsocket",
            "--setParameter=diagnosticDataCollectionEnabled=false",
            "--quiet",
        )
        return Process(self.name, argv, binary.env, stop_seconds=30)

    def check(self) -> None:
        """Form the replica set when needed, and wait for the right to write."""
        client: MongoClient[dict[str, object]] = MongoClient(
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

    def _form_replica_set(self, client: MongoClient[dict[str, object]]) -> None:
        try:
            client.admin.command("replSetGetStatus")
        except OperationFailure as error:
            if error.code == NOT_YET_INITIALIZED:
                member = {"_id": 0, "host": f"{LOOPBACK}:{self.port}"}
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            elif error.code == NOT_A_MEMBER:
                self._move_member(client)
            else:
                raise

    def _move_member(self, client: MongoClient[dict[str, object]]) -> None:
        """The data was made on another port: the set's only member must get its new address."""
        config = client.local["system.replset"].find_one({})
        if config is None:
            raise NotReady("mongo has no replica set configuration")
        members = config["members"]
        assert isinstance(members, list)
        members[0]["host"] = f"{LOOPBACK}:{self.port}"
        config["version"] = int(str(config["version"])) + 1
        client.admin.command("replSetReconfig", config, force=True)
