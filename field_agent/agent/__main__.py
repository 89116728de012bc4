"""`python -m field_agent.agent`: runs headless agents, several in one process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import ssl
import sys
from pathlib import Path

import httpx

from field_agent.agent.clips import load_clip, make_clips
from field_agent.agent.configuration import AgentSettings, read_agents
from field_agent.agent.errors import AgentsFileInvalid
from field_agent.agent.officer import Officer
from field_agent.agent.player import Score

logger = logging.getLogger(__name__)


def _arguments(line: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m field_agent.agent", description=__doc__)
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="where the command center is")
    parser.add_argument("--agents", type=Path, required=True, help="JSON list of the agents to run")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the clips that are made at first start")
    parser.add_argument("--ca", type=Path, help="certificate of the authority that signed the centre's, for https")
    parser.add_argument("--only-clips", action="store_true", help="make the clips and end")
    return parser.parse_args(line)


async def run(agents: list[AgentSettings], server: str, cache: Path, ca: Path | None) -> None:
    """Run all agents until SIGINT or SIGTERM."""
    scores = {order: Score.of(load_clip(order, cache)) for order in {agent.order for agent in agents}}
    loop = asyncio.get_running_loop()
    asked_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_end.set)
    trust = ssl.create_default_context(cafile=str(ca)) if ca is not None else True
    # The centre is named by the caller; proxy settings of the environment are none of its business.
    async with httpx.AsyncClient(trust_env=False, verify=trust) as client, asyncio.TaskGroup() as group:
        tasks = [group.create_task(Officer(agent, server, scores[agent.order], client).run()) for agent in agents]
        await asked_to_end.wait()
        for task in tasks:
            task.cancel()


def main(line: list[str] | None = None) -> int:
    """Returns the exit code."""
    arguments = _arguments(line)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        agents = read_agents(arguments.agents)
    except AgentsFileInvalid as error:
        print(error, file=sys.stderr)  # noqa: T201 - for who started it
        return 2
    make_clips([agent.order for agent in agents], arguments.cache)
    if not arguments.only_clips:
        asyncio.run(run(agents, arguments.server, arguments.cache, arguments.ca))
    return 0


if __name__ == "__main__":
    sys.exit(main())
