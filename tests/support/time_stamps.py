"""A time-stamp authority of one's own (RFC 3161): made and run by the openssl program, asked over real HTTP."""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

Mood = Literal["well", "broken", "refusing", "garbage", "of-something-else", "dripping"]

_CONFIGURATION = """
[tsa]
default_tsa = one
[one]
dir = {folder}
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/root.pem
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
[extensions]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
basicConstraints = CA:FALSE
"""


def is_installed() -> bool:
    """Whether the openssl program is there."""
    return shutil.which("openssl") is not None


class Authority:
    """Answers on a port of its own, as it is in the mood for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.mood: Mood = "well"
        self.asked = 0
        folder.mkdir(parents=True)
        self._make()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/tsr"

    @property
    def root(self) -> Path:
        """The certificate that its own leads to."""
        return self._folder / "root.pem"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer nobody any more."""
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def verify(self, data: bytes, token: bytes) -> bool:
        """Whether the openssl program finds the token good for this data."""
        (self._folder / "data").write_bytes(data)
        (self._folder / "token").write_bytes(token)
        command = ["ts", "-verify", "-data", "data", "-in", "token", "-token_in", "-CAfile", "root.pem"]
        return subprocess.run(["openssl", *command], cwd=self._folder, capture_output=True, check=False).returncode == 0

    def _make(self) -> None:
        (self._folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=self._folder))
        (self._folder / "serial").write_text("01\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl(
            "req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-days", "9"
        )
        self._openssl("req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA")
        signed = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "9", "-out", "tsa.pem"]
        self._openssl("x509", "-req", "-in", "tsa.csr", *signed, "-extfile", "tsa.cnf", "-extensions", "extensions")

    def _answer(self, query: bytes) -> bytes:
        (self._folder / "query").write_bytes(query)
        self._openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
        return (self._folder / "reply").read_bytes()

    def _another_query(self, digest: str) -> bytes:
        """About something else; one with SHA-512 is refused."""
        self._openssl("ts", "-query", "-data", "root.pem", digest, "-cert", "-out", "another")
        return (self._folder / "another").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, capture_output=True, check=True)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                query = self.rfile.read(int(self.headers["content-length"]))
                if authority.mood == "broken":
                    self.send_error(503)
                    return
                if authority.mood in ("refusing", "of-something-else"):
                    query = authority._another_query("-sha256" if authority.mood == "of-something-else" else "-sha512")
                if authority.mood == "dripping":
                    self._drip()
                    return
                body = b"garbage" if authority.mood == "garbage" else authority._answer(query)
                self.send_response(200)
                self.send_header("content-type", "application/timestamp-reply")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _drip(self) -> None:
                """Give a byte now and then, for as long as somebody listens."""
                self.send_response(200)
                self.send_header("content-type", "application/timestamp-reply")
                self.end_headers()
                with suppress(OSError):
                    while not authority._is_over.wait(0.05):
                        self.wfile.write(b"x")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
