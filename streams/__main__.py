"""`python -m streams`: one media node as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from streams.node import Node, NodeOptions, tame_collector
from streams.signalling.tokens import load_public_key
from streams.signalling.turn import TurnMisconfigured, TurnServers

REDIS_URL_VARIABLE = "COMMAND_CENTER_REDIS_URL"
TURN_SECRET_VARIABLE = "COMMAND_CENTER_TURN_SECRET"  # noqa: S105 - the name, not the secret
"""By the environment alone: a command line can be read by everybody on the machine."""
SWITCH_SECONDS = 0.0005
"""How long the recorder's thread may hold the interpreter while a packet waits; Python's own is ten times that."""
_NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BASE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?")
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


class JsonLines(logging.Formatter):
    """One JSON object a line, as the other processes log."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}+00:00"
        line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    """Run a node until SIGTERM or SIGINT; the exit code."""
    options = _parser().parse_args(arguments)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler])
    if _NODE_ID.fullmatch(options.node_id) is None:
        return _refuse(f"--node-id {options.node_id!r}: letters, digits, - and _ only")
    for flag, url in (("--signalling-url", options.signalling_url), ("--public-url", options.public_url)):
        if url is not None and _BASE_URL.fullmatch(url) is None:
            return _refuse(f"{flag} {url!r}: http(s)://host[:port] only")
    if options.http_host in _ANYWHERE and not options.signalling_url:
        return _refuse(f"--http-host {options.http_host}: name one address by --signalling-url for the web processes")
    try:
        token_key = load_public_key(options.token_key)
    except (OSError, ValueError, TypeError) as error:
        return _refuse(f"the token key can't be read: {error}")
    try:
        turn = TurnServers(tuple(options.turn_url), os.environ.get(TURN_SECRET_VARIABLE, ""))
    except TurnMisconfigured as error:
        return _refuse(f"{error} (--turn-url, {TURN_SECRET_VARIABLE})")
    node_options = NodeOptions(
        data=options.data,
        node_id=options.node_id,
        redis_url=options.redis_url,
        token_key=token_key,
        udp_port=options.udp_port,
        http_port=options.http_port,
        http_host=options.http_host,
        signalling_url=(options.signalling_url or "").rstrip("/"),
        public_url=options.public_url.rstrip("/") if options.public_url else None,
        public_addresses=tuple(options.public_address),
        allowed_origins=tuple(options.allow_origin),
        turn=turn,
        records=not options.no_recording,
        signing_key=options.signing_key,
    )
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(node_options))


async def _serve(options: NodeOptions) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        node = Node(options)
    except OSError as error:
        return _refuse(f"a port can't be opened, or the signing key can't be read: {error}")
    except ValueError as error:
        return _refuse(f"the signing key can't be used: {error}")
    tame_collector()
    await node.run(stop)
    if node.is_recorder_stuck:
        # Its thread would be waited for; whoever sent SIGTERM doesn't wait that long.
        logging.shutdown()
        os._exit(0)
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: it wakes a reader for about half the price."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m streams", description="A media node: WHIP in, WHEP out.")
    parser.add_argument("--data", type=Path, required=True, help="folder for spool and recordings")
    parser.add_argument("--udp-port", type=int, required=True, help="the one UDP port of all media")
    parser.add_argument("--http-port", type=int, required=True, help="signalling: WHIP and WHEP over HTTP")
    parser.add_argument("--http-host", default="127.0.0.1", help="where signalling listens; loopback unless given")
    parser.add_argument("--signalling-url", help="where web processes on other machines reach signalling")
    parser.add_argument("--public-url", help="https://… where phones, screens and programs reach signalling themselves")
    parser.add_argument("--redis-url", default=os.environ.get(REDIS_URL_VARIABLE), help=f"or {REDIS_URL_VARIABLE}")
    parser.add_argument("--token-key", type=Path, required=True, help="public half of the access tokens' key")
    parser.add_argument("--node-id", default="node-1")
    parser.add_argument("--public-address", action="append", default=[], help="advertised instead of the interfaces'")
    parser.add_argument(
        "--allow-origin", action="append", default=[], help="another site whose pages may use WHIP/WHEP"
    )
    parser.add_argument(
        "--turn-url", action="append", default=[], help=f"a TURN relay to name; its secret by {TURN_SECRET_VARIABLE}"
    )
    parser.add_argument(
        "--signing-key", type=Path, help="private key (PEM) that recordings are signed with; made where there is none"
    )
    parser.add_argument("--no-recording", action="store_true")
    parser.add_argument("--log-level", default="INFO")
    return parser


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
