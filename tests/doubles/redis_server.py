"""A real redis-server of one's own: what a double accepts, a server may refuse."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.doubles.certificates import Certificates

BINARY = shutil.which("redis-server")
MISSING = "redis-server is not installed (apt-get install redis-server): nothing about Redis was tested"


class RedisServer:
    """Listens on a free port of this machine, with ``certificates`` on a second one with TLS; keeps nothing on disk.

    ``admin`` is a client with a user of its own, who may do everything whatever happens to the default user.
    """

    def __init__(self, certificates: Certificates | None = None) -> None:
        assert BINARY is not None, MISSING
        self.port = _free_port()
        self.tls_port = _free_port() if certificates else 0
        self._certificates = certificates
        self._folder = tempfile.TemporaryDirectory(prefix="redis-server-")
        self.admin = redis.Redis(port=self.port, username="admin", password="any", retry=Retry(NoBackoff(), 0))
        self.start()

    def start(self) -> None:
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder.name]
        admin = ["--user", "admin", "on", "nopass", "~*", "&*", "+@all"]
        self._process = subprocess.Popen([BINARY, *place, *admin, *self._tls()], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._answers():
            assert self._process.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        """As a crash: nothing is told to anybody."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)

    def restore(self) -> None:
        """As after the start, whatever a test has done to it."""
        if self._process.poll() is not None:
            self.start()
        self.resume()
        self.admin.execute_command("REPLICAOF", "NO", "ONE")
        for setting, value in {"maxmemory": "0", "requirepass": ""}.items():
            self.admin.config_set(setting, value)
        self.admin.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], keys=["*"])
        for user in self.admin.acl_users():
            if user not in {"default", "admin"}:
                self.admin.acl_deluser(user)
        self.admin.flushall()

    def names(self) -> set[str]:
        return {name.decode() for name in self.admin.keys("*")}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.admin.close()
        self.stop()
        self._folder.cleanup()

    def _tls(self) -> list[str]:
        if self._certificates is None:
            return []
        chain, authority = str(self._certificates.chain_file), str(self._certificates.ca_file)
        keys = ["--tls-cert-file", chain, "--tls-key-file", chain, "--tls-ca-cert-file", authority]
        return ["--tls-port", str(self.tls_port), "--tls-auth-clients", "no", *keys]

    def _answers(self) -> bool:
        try:
            return bool(self.admin.ping())
        except redis.ConnectionError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
