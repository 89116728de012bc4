"""Programs that let the node begin: they offer `setup:passive`, no candidates, and checks without PRIORITY."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path

import httpx
from aioice import stun

from streams.transport.dtls import Dtls
from tests.streams.signalling.offers import CERTIFICATE, VP8, offer, video
from tests.support.node import running_node
from tests.support.waiting import until


async def test_a_peer_that_waits_for_our_hello_is_greeted(tmp_path: Path) -> None:
    async with running_node(tmp_path) as running, httpx.AsyncClient(base_url=running.url) as http:
        headers = {"Authorization": f"Bearer {running.token()}", "Content-Type": "application/sdp"}
        body = offer(video(VP8), setup="passive")
        answer = (await http.post("/whip/site-1", content=body, headers=headers)).text
        assert "a=setup:active" in answer
        ufrag, password = (re.search(rf"a=ice-{name}:(\S+)", answer) for name in ("ufrag", "pwd"))
        fingerprint = re.search(r"a=fingerprint:(\S+) (\S+)", answer)
        assert ufrag
        assert password
        assert fingerprint
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(("127.0.0.1", running.node.port.number))
            peer = Dtls(CERTIFICATE, sock.send, lambda: None)  # type: ignore[arg-type]
            answered: list[bytes] = []

            def readable() -> None:
                data = sock.recv(2000)
                if data[0] < 4:
                    answered.append(data)
                else:
                    peer.feed(data)

            loop.add_reader(sock, readable)
            check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            check.attributes.update({"USERNAME": f"{ufrag[1]}:abcd", "USE-CANDIDATE": None})
            check.add_message_integrity(password[1].encode())
            sock.send(bytes(check))
            await peer.run("server", [(fingerprint[1], fingerprint[2])])
            assert peer.state == "connected"
            assert answered
            (session,) = running.node.sessions.by_id.values()
            await until(lambda: session.link.is_open)
            loop.remove_reader(sock)
            await peer.close()
        await until(lambda: not running.node.sessions.by_id)
