"""Sessions in MongoDB."""

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from user_service.store.documents import sessions, users
from user_service.store.outbox import store_events
from user_service.store.users import _ended, transact


def end_session(sid: str) -> None:
    """End one session; nothing happens when it is over already."""

    def work(session: ClientSession) -> None:
        if gone := sessions().find_one_and_delete({"_id": sid}, session=session):
            user = users().find_one_and_update(
                {"_id": gone["user_id"]},
                {"$inc": {"sequence": 1}},
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            store_events([_ended(user, sid)], user, session)

    transact(work)
