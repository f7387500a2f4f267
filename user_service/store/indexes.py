"""The collections and indexes that the service needs."""

from libs.mongo_store.connection import Db
from libs.mongo_store.outbox import MongoOutbox
from libs.mongo_store.revocations import MongoRevocations
from user_service.store.documents import AccountChange, ExportLease, MailToken, Session, User


def ensure_indexes() -> None:
    """Create the collections and indexes that are missing. A transaction must find them."""
    db: Db = User._get_db()
    for model in (User, Session, MailToken, AccountChange, ExportLease):
        model.ensure_indexes()
    MongoOutbox(db).ensure_indexes()
    MongoRevocations(db).ensure_indexes()
