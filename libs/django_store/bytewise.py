"""Comparison of ids byte by byte. MySQL's collation utf8mb4_bin ignores spaces at the end, and no id has any.

The binary collations that mind them have other names in MySQL and in MariaDB. So a value with a space at its end finds nothing, and
the server is not asked. Importing the module registers the lookups.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import CharField, ForeignKey
from django.db.models.fields.related_lookups import RelatedExact, RelatedIn
from django.db.models.lookups import Exact, In

BYTEWISE = "utf8mb4_bin"  # known to MySQL and MariaDB alike


def _is_padded(value: object) -> bool:
    return isinstance(value, str) and value.endswith(" ")


class _Bytewise:
    """What the lookups share: whether their column holds ids."""

    lhs: Any
    rhs: Any

    def _has_ids(self) -> bool:
        field = getattr(self.lhs, "output_field", None)
        field = field.target_field if isinstance(field, ForeignKey) else field
        return getattr(field, "db_collation", None) == BYTEWISE


class _BytewiseExact(_Bytewise):
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """The condition. Raises EmptyResultSet."""
        if _is_padded(self.rhs) and self._has_ids():
            raise EmptyResultSet
        return super().as_sql(compiler, connection)  # type: ignore[misc] # of the lookup beside it


class _BytewiseIn(_Bytewise):
    def get_prep_lookup(self) -> Any:
        """The values that may be there."""
        values: Any = super().get_prep_lookup()  # type: ignore[misc] # of the lookup beside it
        is_list = isinstance(values, Sequence) and not isinstance(values, str)
        return [value for value in values if not _is_padded(value)] if is_list and self._has_ids() else values


@CharField.register_lookup
class IdExact(_BytewiseExact, Exact):
    """`exact`."""


@CharField.register_lookup
class IdIn(_BytewiseIn, In):
    """`in`."""


@ForeignKey.register_lookup
class RelatedIdExact(_BytewiseExact, RelatedExact):
    """`exact` of a foreign key."""


@ForeignKey.register_lookup
class RelatedIdIn(_BytewiseIn, RelatedIn):
    """`in` of a foreign key."""
