"""The gateways that an installation has, and the simulators that stand behind them in the demonstration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from assets.gateway import Gateway
from assets.gateway_settings import GatewaySettings, read_file
from assets.kinds import kinds, names_of, open_gateways
from assets.posting import Poster
from command_center.config import Settings
from command_center.translations import add_words

LOOPBACK = ("127.0.0.1", "localhost")


def gateways_listed(settings: Settings) -> tuple[GatewaySettings, ...]:
    """Those of the file; without one the bank's and the registry's address, and in the demonstration all other kinds.

    Raises:
        GatewaysMisconfigured: the file can't be used.
    """
    if settings.gateways_file is not None:
        return read_file(settings.gateways_file)
    known = {"bank": settings.bank_url, "registry": settings.registry_url}
    if settings.demonstration and settings.further_simulators_port:
        further = [name for name in kinds() if name not in known]
        for place, name in enumerate(further):
            known[name] = f"http://127.0.0.1:{settings.further_simulators_port + place}"
    return tuple(GatewaySettings(name=name, kind=name, url=url) for name, url in known.items())


def gateways_of(settings: Settings, watch: Callable[[Poster], None] = lambda _: None) -> list[Gateway]:
    """Everybody who can be asked, and their names among the words of the screens; `watch` is told of each connection.

    Raises:
        GatewaysMisconfigured: the file, a certificate or a key can't be used.
    """
    listed = gateways_listed(settings)
    opened = open_gateways(listed, watch)
    for name, words in names_of(listed).items():
        add_words(f"asset.gateway.{name}", words)
    return opened


class GatewaysCollector(Collector):
    """How the gateways answer this process."""

    def __init__(self) -> None:
        self._posters: list[Poster] = []

    def watch(self, poster: Poster) -> None:
        """Count this one too."""
        self._posters.append(poster)

    def collect(self) -> Iterator[Metric]:
        """Everything, now."""
        text = "What became of requests to a gateway: answered, retried, or the trouble's code."
        outcomes = CounterMetricFamily("command_center_gateway_requests", text, labels=["gateway", "outcome"])
        text = "Whether a gateway is left alone after failures."
        resting = GaugeMetricFamily("command_center_gateway_rests", text, labels=["gateway"])
        for poster in self._posters:
            for outcome, count in sorted(poster.counts.items()):
                outcomes.add_metric([poster.name, outcome], count)
            resting.add_metric([poster.name], int(poster.breaker is not None and poster.breaker.state != "closed"))
        yield outcomes
        yield resting


def simulators_of(settings: Settings) -> list[tuple[str, int]]:
    """Kind and port of each simulator on this machine; one may stand for many gateways of its kind."""
    listed = gateways_listed(settings.model_copy(update={"demonstration": True}))
    simulated = [(one.kind, loopback_port(one.url)) for one in listed]
    return [(kind, port) for kind, port in dict.fromkeys(simulated) if port]


def loopback_port(url: str) -> int:
    """The port of a simulator on this machine; 0 where the address is another's, or asks for TLS."""
    parts = urlsplit(url)
    return (parts.port or 0) if parts.scheme == "http" and parts.hostname in LOOPBACK else 0
