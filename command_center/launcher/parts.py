"""The parts that make up an installation on one machine, in the order in which they start."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable

import httpx

from command_center.config import LocalNode, Settings
from command_center.gateways import simulators_of
from command_center.launcher.child import Part
from command_center.launcher.hub_server import hub_command
from command_center.money_desk import paying_simulator
from streams.hub.hub import Hub
from streams.hub.topics import FEEDS_KEY, MEDIA_PART, NODE_PART, WORKER_KEY, FeedPhase, FeedState
from streams.signalling.tokens import PUBLIC_KEY_FILE

DEMONSTRATION_FEEDS = 5
MEDIA_NICENESS = -10
"""A packet can't wait for a screen or a report."""
PROBE_SECONDS = 2.0
FIRST_FILM_SECONDS = 240.0
"""How long the agents may take at the very first start, when they make their films."""


def installation(settings: Settings, hub: Hub, *, demonstration: bool) -> list[Part]:
    """Every part, first to start first."""
    parts = [] if settings.redis_url else [_hub(settings, hub)]
    parts += [_node(settings, local) for local in settings.local_nodes]
    if demonstration:
        paying = paying_simulator(settings)
        arrives_at = settings.paying_url if paying else ""
        parts += [_simulator(settings, kind, port, arrives_at) for kind, port in [*simulators_of(settings), *paying]]
    parts += [_web(settings), _worker(hub)]
    if demonstration:
        parts.append(_agents(settings, hub))
    return parts


async def live_feeds(hub: Hub, nodes: Iterable[LocalNode]) -> int:
    """How many feeds the nodes report live."""
    told = [state for local in nodes for state in (await hub.fields(FEEDS_KEY.format(node=local.node))).values()]
    states = [FeedState.model_validate_json(state) for state in told]
    return len({state.feed for state in states if state.phase is FeedPhase.LIVE})


def _hub(settings: Settings, hub: Hub) -> Part:
    return Part("hub", hub_command(settings.data, settings.keys, settings.redis_port), hub.ping)


def node_part(settings: Settings, local: LocalNode) -> str:
    """The name of a node as a part: plain where it is the only one, as screens know it."""
    return MEDIA_PART if settings.media_nodes == 1 else NODE_PART.format(node=local.node)


def _node(settings: Settings, local: LocalNode) -> Part:
    command = [
        *_python("streams"),
        *("--data", str(settings.data), "--node-id", local.node),
        *("--udp-port", str(local.udp_port), "--http-port", str(local.http_port)),
        *("--token-key", str(settings.keys / PUBLIC_KEY_FILE)),
        *("--signing-key", str(settings.keys / f"recording-{local.node}.pem")),
    ]
    for address in filter(None, (part.strip() for part in settings.media_public_addresses.split(","))):
        command += ["--public-address", address]
    turn = settings.turn
    for url in turn.urls:
        command += ["--turn-url", url]
    # The hub's address holds its password: like the relays' secret it goes by the environment, which other users
    # can't read.
    return Part(
        node_part(settings, local),
        tuple(command),
        _answers(f"{local.url}/healthz"),
        niceness=MEDIA_NICENESS,
        environment={"COMMAND_CENTER_REDIS_URL": settings.hub_url, "COMMAND_CENTER_TURN_SECRET": turn.secret},
    )


def _simulator(settings: Settings, kind: str, port: int, arrives_at: str) -> Part:
    data = settings.data / "demo" / f"{kind}-{port}.sqlite3"
    command = (
        *_python("assets.simulators"),
        kind,
        "--port",
        str(port),
        "--data",
        str(data),
        "--paying-url",
        arrives_at,
    )
    return Part(kind, command, _answers(f"http://127.0.0.1:{port}/healthz"))


def _web(settings: Settings) -> Part:
    address = f"http://{settings.http_host}:{settings.http_port}/healthz"
    return Part("web", (*_python("command_center"), "web"), _answers(address))


def _worker(hub: Hub) -> Part:
    async def is_alive() -> bool:
        try:
            return bool(await hub.values(WORKER_KEY.format(name="*")))
        except ConnectionError:
            return False

    return Part("worker", (*_python("command_center"), "worker"), is_alive, must_answer=False)


def _agents(settings: Settings, hub: Hub) -> Part:
    async def all_live() -> bool:
        try:
            return await live_feeds(hub, settings.local_nodes) >= DEMONSTRATION_FEEDS
        except ConnectionError:
            return False

    demo = settings.data / "demo"
    command = (
        *_python("field_agent.agent"),
        *("--server", f"http://{settings.http_host}:{settings.http_port}"),
        *("--cache", str(demo), "--agents", str(demo / "agents.json")),
    )
    return Part("agents", command, all_live, start_seconds=FIRST_FILM_SECONDS, must_answer=False)


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-X", "utf8", "-m", module)


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        try:
            async with httpx.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as client:
                return (await client.get(url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return answers
