"""The real version of every server in a shop, asked of the server itself and not of its image's name."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection

import MySQLdb
from pymongo import MongoClient

from deploy.local.ports import LOOPBACK
from deploy.tests.containers import Containers


def mongo_client(shop: Containers) -> MongoClient[dict[str, object]]:
    """The administrator, from outside."""
    return MongoClient(
        LOOPBACK,
        int(shop.env["MONGO_PUBLISHED_PORT"]),
        username="root",
        password=shop.env["MONGO_ROOT_PASSWORD"],
        directConnection=True,
        serverSelectionTimeoutMS=10_000,
    )


def mysql_connection(shop: Containers, user: str = "root", password: str = "") -> MySQLdb.Connection:
    """The administrator, or another account, from outside."""
    port, password = int(shop.env["MYSQL_PUBLISHED_PORT"]), password or shop.env["MYSQL_ROOT_PASSWORD"]
    return MySQLdb.connect(host=LOOPBACK, port=port, user=user, password=password, connect_timeout=5)


def versions(shop: Containers) -> list[str]:
    """One line for each server that runs."""
    running = shop.ids()
    return [f"{name}: {ask(shop)}" for name, ask in ASK.items() if name in running]


def _kafka(shop: Containers) -> str:
    jars = shop.execute("kafka", "sh", "-c", "ls /opt/kafka/libs").stdout
    return "Kafka " + " ".join(re.findall(r"kafka_2\.13-([\d.]+)\.jar", jars))


def _zookeeper(shop: Containers) -> str:
    ask = "exec 3<>/dev/tcp/127.0.0.1/2181 && printf srvr >&3 && cat <&3"
    return shop.execute("zookeeper", "bash", "-c", ask).stdout.partition(",")[0].replace(" version:", "")


def _mongo(shop: Containers) -> str:
    with mongo_client(shop) as client:
        return f"MongoDB {client.server_info()['version']}"


def _mysql(shop: Containers) -> str:
    connection = mysql_connection(shop)
    cursor = connection.cursor()
    cursor.execute("SELECT VERSION(), (SELECT plugin FROM mysql.user WHERE user = %s)", (shop.env["MYSQL_USER"],))
    version, plugin = cursor.fetchone()
    connection.close()
    return f"MySQL {version}, {shop.env['MYSQL_USER']} logs in by {plugin}"


def _mail(shop: Containers) -> str:
    connection = HTTPConnection(LOOPBACK, int(shop.env["MAIL_PAGE_PORT"]), timeout=5)
    connection.request("GET", "/api/v1/info")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return f"Mailpit {json.loads(body)['Version']}" if answer.status == 200 else "a mail catcher other than Mailpit"


def _proxy(shop: Containers) -> str:
    return shop.execute("proxy", "nginx", "-v").stderr.strip()


def _python(shop: Containers) -> str:
    return shop.execute("user-web", "python", "--version").stdout.strip()


ASK = {
    "kafka": _kafka,
    "zookeeper": _zookeeper,
    "mongo": _mongo,
    "mysql": _mysql,
    "mail": _mail,
    "proxy": _proxy,
    "user-web": _python,
}
