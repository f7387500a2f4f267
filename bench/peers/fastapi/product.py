"""The catalogue of the plain peer: FastAPI and motor, with one event that is sent from the request."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
import orjson
from aiokafka import AIOKafkaProducer
from bson import ObjectId
from fastapi import Depends, FastAPI, Header, HTTPException
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel

state: dict[str, Any] = {}


class NewProduct(BaseModel):
    """A product as a client sends it."""

    name: str
    description: str = ""
    price: float
    stock: int


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Connect, and disconnect at the end."""
    state["products"] = AsyncIOMotorClient(os.environ["MONGO_URI"]).get_default_database()["products"]
    state["producer"] = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BROKERS"])
    await state["producer"].start()
    yield
    await state["producer"].stop()


app = FastAPI(lifespan=lifespan)


def signed_in(authorization: Annotated[str, Header()] = "") -> dict[str, Any]:
    """The claims of the token."""
    try:
        claims: dict[str, Any] = jwt.decode(
            authorization.removeprefix("Bearer "), os.environ["JWT_SECRET"], algorithms=["HS256"]
        )
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    return claims


def public(product: dict[str, Any]) -> dict[str, Any]:
    """The JSON of a product."""
    return {"id": str(product.pop("_id")), **product}


@app.get("/health")
async def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@app.get("/products")
async def list_products(limit: int = 20) -> dict[str, Any]:
    """The newest products."""
    found = await state["products"].find().sort("_id", -1).limit(limit).to_list(limit)
    return {"results": [public(product) for product in found]}


@app.get("/products/{product_id}")
async def read_product(product_id: str) -> dict[str, Any]:
    """One product."""
    found = await state["products"].find_one({"_id": ObjectId(product_id)})
    if not found:
        raise HTTPException(404)
    return public(found)


@app.post("/products", status_code=201)
async def create_product(body: NewProduct, _caller: Annotated[dict[str, Any], Depends(signed_in)]) -> dict[str, Any]:
    """Store a product, and send its event."""
    moment = datetime.now(UTC)
    product = {**body.model_dump(), "currency": "USD", "active": True, "createdAt": moment, "updatedAt": moment}
    inserted = await state["products"].insert_one(product)
    event = {"id": str(inserted.inserted_id), "name": body.name, "price": body.price}
    await state["producer"].send_and_wait(
        "peer-product-created", orjson.dumps(event), key=str(inserted.inserted_id).encode()
    )
    return {"status": "success", "product": public(product)}
