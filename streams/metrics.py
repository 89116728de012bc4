"""A media node's figures for Prometheus, read from its parts when asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from streams import native
from streams.sfu.delays import BOUNDS

if TYPE_CHECKING:
    from streams.node import Node
    from streams.signalling.live_feed import LiveFeed

PREFIX = "media_node"
ESTIMATE_BOUNDS = (250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000)


class NodeCollector(Collector):
    """Counts nothing itself: hot paths keep plain integers, and this reads them."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """Everything, now."""
        yield from self._sessions()
        yield from self._traffic()
        yield from self._feeds()
        yield from self._pages()
        yield from self._voice()
        yield from self._events()
        yield from self._tables()

    def _tables(self) -> Iterator[Metric]:
        """What could grow: back to where they began once all have left."""
        tasks = len(asyncio.all_tasks())
        yield GaugeMetricFamily(f"{PREFIX}_tasks", "Tasks under way.", value=tasks)
        port, sessions = self._node.port, self._node.sessions
        entries = GaugeMetricFamily(f"{PREFIX}_table_entries", "Entries of the node's tables.", labels=["table"])
        entries.add_metric(["sessions"], len(sessions.by_id))
        entries.add_metric(["feeds"], len(sessions.feeds))
        entries.add_metric(["voice_feeds"], len(sessions.voice.feeds))
        for table, count in port.entries.items():
            entries.add_metric([table], count)
        yield entries

    def _sessions(self) -> Iterator[Metric]:
        sessions = self._node.sessions
        states = Counter(
            (session.right.name.lower(), "open" if session.link.is_open else "connecting")
            for session in sessions.by_id.values()
        )
        gauge = GaugeMetricFamily(f"{PREFIX}_sessions", "Sessions by right and state.", labels=["right", "state"])
        for (right, state), count in states.items():
            gauge.add_metric([right, state], count)
        yield gauge
        ended = CounterMetricFamily(f"{PREFIX}_sessions_ended", "Sessions that ended, by reason.", labels=["reason"])
        for reason, count in sessions.ended.items():
            ended.add_metric([reason], count)
        yield ended
        refused = CounterMetricFamily(f"{PREFIX}_requests_refused", "Refusals of WHIP and WHEP.", labels=["code"])
        for code, count in self._node.signalling.refused.items():
            refused.add_metric([code], count)
        yield refused
        messages = CounterMetricFamily(f"{PREFIX}_messages", "Texts on officers' data channels.", labels=["what"])
        for what, count in sessions.messages.items():
            messages.add_metric([what], count)
        yield messages

    def _traffic(self) -> Iterator[Metric]:
        port, forwarder, sessions = self._node.port, self._node.forwarder, self._node.sessions
        packets = CounterMetricFamily(f"{PREFIX}_packets", "Datagrams by direction.", labels=["direction"])
        packets.add_metric(["in"], port.packets_in)
        packets.add_metric(["out"], port.packets_out + forwarder.counters.packets)
        yield packets
        octets = CounterMetricFamily(f"{PREFIX}_bytes", "Bytes received and sent.", labels=["kind"])
        octets.add_metric(["received"], port.bytes_in)
        octets.add_metric(["control_sent"], port.bytes_out)
        octets.add_metric(["media_sent"], forwarder.counters.octets)
        yield octets
        refused = CounterMetricFamily(f"{PREFIX}_datagrams_refused", "Datagrams that led nowhere.", labels=["kind"])
        for kind, count in port.refused.items():
            refused.add_metric([kind], count)
        yield refused
        drops = CounterMetricFamily(f"{PREFIX}_drops", "What a full queue or socket dropped.", labels=["queue"])
        drops.add_metric(["socket_control"], port.send_drops)
        drops.add_metric(["socket_media"], forwarder.counters.dropped)
        drops.add_metric(["spool"], self._node.spool.dropped)
        drops.add_metric(["events"], self._node.presence.dropped)
        drops.add_metric(["dtls"], port.dtls_dropped + sum(s.link.dtls.dropped for s in sessions.by_id.values()))
        drops.add_metric(["socket_received"], port.kernel_drops)
        drops.add_metric(["addresses"], port.addresses_forgotten)
        drops.add_metric(["rates"], self._node.signalling.rates_forgotten)
        drops.add_metric(["revocations"], self._node.revocations.forgotten)
        drops.add_metric(["field_messages"], sessions.messages["dropped"])
        drops.add_metric(["field_answers"], sessions.messages["unanswered"])
        drops.add_metric(["talk_messages"], sessions.voice.messages["dropped"])
        yield drops
        text = "Whether the loops that run for each packet are the ones in C."
        yield GaugeMetricFamily(f"{PREFIX}_native_loops", text, value=native.lib is not None)
        yield CounterMetricFamily(f"{PREFIX}_send_errors", "Refused by the kernel.", value=forwarder.counters.errors)
        yield self._delays()

    def _delays(self) -> Metric:
        delays, so_far = self._node.forwarder.delays, 0
        buckets = []
        for bound, count in zip(BOUNDS, delays.counts, strict=False):
            so_far += count
            buckets.append((str(bound), so_far))
        buckets.append(("+Inf", delays.total))
        text = "From a packet's arrival in the kernel to its last copy handed back."
        return HistogramMetricFamily(
            f"{PREFIX}_forwarding_delay_seconds", text, buckets=buckets, sum_value=delays.total_seconds
        )

    def _feeds(self) -> Iterator[Metric]:
        feeds = list(self._node.sessions.feeds.values())
        phases = Counter(str(feed.life.phase) for feed in feeds)
        gauge = GaugeMetricFamily(f"{PREFIX}_feeds", "Feeds by phase.", labels=["phase"])
        for phase, count in phases.items():
            gauge.add_metric([phase], count)
        yield gauge
        figures = {
            "packets": "Packets of a publisher.",
            "octets": "Bytes of a publisher.",
            "nacked": "Packets asked for again.",
            "repeated": "Packets that came again.",
            "beyond_repair": "Packets lost for good: too many, too old, or asked for too often.",
            "untold": "Arrivals that no feedback told of: their numbers jumped too often.",
            "malformed": "Packets that are no RTP of ours.",
            "unknown": "Packets of streams that were not agreed on.",
        }
        for name, text in figures.items():
            family = CounterMetricFamily(f"{PREFIX}_feed_{name}", text, labels=["feed"])
            for feed in feeds:
                family.add_metric([feed.name], getattr(feed.media.counters, name))
            yield family
        for name, text in (
            ("repeated", "Packets sent to viewers again."),
            ("nacked", "Packets viewers asked for."),
            ("refused", "Packets viewers asked for that were gone, or too many."),
        ):
            family = CounterMetricFamily(f"{PREFIX}_viewer_{name}", text, labels=["feed"])
            for feed in feeds:
                family.add_metric([feed.name], getattr(feed, name))
            yield family
        yield self._loss(feeds)
        yield from self._layers(feeds)

    def _voice(self) -> Iterator[Metric]:
        voice = self._node.sessions.voice
        text = "What the centre says and who listens, now."
        gauge = GaugeMetricFamily(f"{PREFIX}_voice", text, labels=["what"])
        for what, count in (("talkers", voice.talkers), ("talks", len(voice.talks)), ("phones", voice.phones)):
            gauge.add_metric([what], count)
        yield gauge
        yield CounterMetricFamily(f"{PREFIX}_talks_begun", "Talks of the centre.", value=voice.begun)
        ended = CounterMetricFamily(f"{PREFIX}_talks_ended", "Talks that ended, by reason.", labels=["reason"])
        for reason, count in voice.ended.items():
            ended.add_metric([reason], count)
        yield ended
        refused = CounterMetricFamily(f"{PREFIX}_talks_refused", "Talks that didn't begin, by why.", labels=["code"])
        for code, count in voice.refused.items():
            refused.add_metric([code], count)
        yield refused
        messages = CounterMetricFamily(f"{PREFIX}_talk_messages", "Texts on talkers' data channels.", labels=["what"])
        for what, count in voice.messages.items():
            messages.add_metric([what], count)
        yield messages

    def _layers(self, feeds: Iterable[LiveFeed]) -> Iterator[Metric]:
        labels = ["feed", "layer"]
        packets = CounterMetricFamily(f"{PREFIX}_layer_packets", "Packets of each layer of a picture.", labels=labels)
        viewers = GaugeMetricFamily(f"{PREFIX}_layer_viewers", "Viewers of each layer of a picture.", labels=labels)
        asked = CounterMetricFamily(f"{PREFIX}_layer_key_frame_requests", "Key frames asked for.", labels=labels)
        requests = CounterMetricFamily(
            f"{PREFIX}_feed_key_frame_requests", "Compounds with requests, sent to publishers.", labels=["feed"]
        )
        for feed in feeds:
            requests.add_metric([feed.name], feed.media.counters.key_frame_requests)
            for source in feed.media.layers.sources:
                asked.add_metric([feed.name, source.layer], source.key_frames.asked)
                packets.add_metric([feed.name, source.layer], source.packets)
                viewers.add_metric([feed.name, source.layer], len(source.branches))
        yield packets
        yield viewers
        yield asked
        yield requests

    def _loss(self, feeds: Iterable[LiveFeed]) -> Metric:
        gauge = GaugeMetricFamily(
            f"{PREFIX}_viewer_loss_ratio", "The worst loss that a viewer reported last.", labels=["feed"]
        )
        for feed in feeds:
            branches = [branch for viewer in feed.media.viewers for branch in viewer.branches.values()]
            gauge.add_metric([feed.name], max((branch.fraction_lost for branch in branches), default=0.0))
        return gauge

    def _pages(self) -> Iterator[Metric]:
        pages = self._node.sessions.pages
        limited = [bps for page in pages.all() if (bps := page.estimate_bps) is not None]
        gauge = GaugeMetricFamily(f"{PREFIX}_pages", "Viewers' pages, by whether their line limits.", labels=["line"])
        gauge.add_metric(["free"], len(pages) - len(limited))
        gauge.add_metric(["limited"], len(limited))
        yield gauge
        buckets = [(str(bound), float(sum(bps <= bound for bps in limited))) for bound in ESTIMATE_BOUNDS]
        yield GaugeHistogramMetricFamily(
            f"{PREFIX}_page_estimate_bps",
            "What the lines of limited pages are thought to carry.",
            buckets=[*buckets, ("+Inf", float(len(limited)))],
            gsum_value=sum(limited),
        )
        paused = sum(page.paused for page in pages.all())
        yield GaugeMetricFamily(f"{PREFIX}_tiles_paused", "Pictures that don't fit their page's line.", value=paused)
        done = CounterMetricFamily(
            f"{PREFIX}_page_events", "What was done to keep pages within their line.", labels=["what"]
        )
        counters = pages.counters
        for field in fields(counters):
            done.add_metric([field.name], getattr(counters, field.name))
        yield done

    def _events(self) -> Iterator[Metric]:
        node = self._node
        yield GaugeMetricFamily(f"{PREFIX}_hub_near", "Whether the hub answers.", value=int(node.presence.is_hub_near))
        yield GaugeMetricFamily(f"{PREFIX}_spool_bytes", "Waiting on disk for the hub.", value=node.spool.file_bytes)
        if node.recorder is None:
            return
        yield GaugeMetricFamily(f"{PREFIX}_recordings", "Recordings under way.", value=node.recorder.open_recordings)
        written = CounterMetricFamily(f"{PREFIX}_recorder", "What the recorder did.", labels=["what"])
        for field in fields(node.recorder.counters):
            written.add_metric([field.name], getattr(node.recorder.counters, field.name))
        yield written


class NodeMetrics:
    """The registry of one node; several can live in one process."""

    def __init__(self, node: Node) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(NodeCollector(node))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def render(self) -> bytes:
        """The text exposition."""
        return generate_latest(self._registry)
