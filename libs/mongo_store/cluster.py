"""The id of the service's Kafka cluster in MongoDB, in collection `kafka_cluster`."""

from libs.mongo_store.connection import Db
from libs.mongo_store.failures import is_temporary


class MongoCluster:
    """One document: what `libs.messaging.kafka.cluster` keeps."""

    is_temporary = staticmethod(is_temporary)

    def __init__(self, db: Db) -> None:
        self._rows = db["kafka_cluster"]

    def known(self) -> str | None:
        """The id, None before the first start."""
        row = self._rows.find_one({"_id": "known"})
        return str(row["cluster_id"]) if row else None

    def keep(self, cluster_id: str) -> None:
        """Replace the id."""
        self._rows.update_one({"_id": "known"}, {"$set": {"cluster_id": cluster_id}}, upsert=True)
