"""Idempotency-Keys in MongoDB. The document of a key holds the response. MongoDB deletes old documents by an index."""

from collections.abc import Callable

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, OperationFailure

from libs.mongo_store.transactions import in_transaction
from libs.mongo_store.validation import validate_changes, validate_document
from libs.values.idempotency import KEY_RETENTION, IdempotentRequest
from libs.values.times import now
from product_service.domain.idempotency import StoredResponse
from product_service.store import documents

WRITE_CONFLICT = 112  # another transaction writes the same document, or has written it since this one began


class KeyTaken(Exception):
    """Another request with the key is being processed, or has been stored since this one began."""


def find(request: IdempotentRequest) -> tuple[str, StoredResponse] | None:
    """The hash of the body and the response of an earlier request with the key, unless it is older than KEY_RETENTION."""
    which = {"_id": _id_of(request), "created_at": {"$gt": now() - KEY_RETENTION}}
    row = documents.idempotency_keys().find_one(which)
    return (row["body_hash"], StoredResponse(**row["response"])) if row else None


def transact(request: IdempotentRequest, work: Callable[[ClientSession], StoredResponse]) -> StoredResponse:
    """Run `work(transaction)` and store its response under the key, in one transaction. Raises KeyTaken."""

    def claim_and_work(transaction: ClientSession) -> StoredResponse:
        _claim(request, transaction)
        response = work(transaction)
        fields = {"status": response.status, "body": response.body, "headers": dict(response.headers)}
        change = {"$set": validate_changes(documents.IdempotencyKey, {"response": fields})}
        documents.idempotency_keys().update_one({"_id": _id_of(request)}, change, session=transaction)
        return response

    return in_transaction(documents.db(), claim_and_work)


def _claim(request: IdempotentRequest, transaction: ClientSession) -> None:
    """Insert the document of the key, first in the transaction: a second one fails at once. Replaces one that is too old."""
    row = {"_id": _id_of(request), "body_hash": request.body_hash, "created_at": now()}
    row = validate_document(documents.IdempotencyKey, row)
    old = {"_id": row["_id"], "created_at": {"$lte": now() - KEY_RETENTION}}
    try:
        documents.idempotency_keys().delete_one(old, session=transaction)
        documents.idempotency_keys().insert_one(row, session=transaction)
    except DuplicateKeyError:
        raise KeyTaken from None
    except OperationFailure as error:
        if error.code == WRITE_CONFLICT:
            raise KeyTaken from None
        raise


def _id_of(request: IdempotentRequest) -> str:
    return f"{request.user_id} {request.route} {request.key}"
