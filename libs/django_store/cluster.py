"""The id of the service's Kafka cluster in MySQL."""

from libs.django_store.connection import renew_connection
from libs.django_store.failures import is_temporary
from libs.django_store.models import ClusterTable


class DjangoCluster:
    """One row in `table`: what `libs.messaging.kafka.cluster` keeps."""

    is_temporary = staticmethod(is_temporary)

    def __init__(self, table: type[ClusterTable]) -> None:
        self._rows = table._default_manager

    def known(self) -> str | None:
        """The id, None before the first start."""
        renew_connection()
        return self._rows.filter(pk=1).values_list("cluster_id", flat=True).first()

    def keep(self, cluster_id: str) -> None:
        """Replace the id."""
        row = self._rows.model(id=1, cluster_id=cluster_id)
        self._rows.bulk_create([row], update_conflicts=True, update_fields=["cluster_id"])
