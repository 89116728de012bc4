"""The voice of the centre through a real node: from a real talker to the phones that it chose, and to no other."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from streams.hub.topics import Revoked, TalkChanged
from streams.recording.manifest import read_manifest
from streams.recording.recovery import manifests
from streams.sfu.losses import Losses
from streams.signalling.talker import BURST
from streams.signalling.voice import SILENT_SECONDS
from streams.voice_protocol import (
    MAX_TALK_SECONDS,
    WARNING_SECONDS,
    line_of_talk,
    node_of_talk,
    operation_of_talk,
    talk_line,
    talk_name,
    voice_name,
)
from tests.support.node import RunningNode, running_node
from tests.support.rtc import Peer, Refused
from tests.support.voices import Phone, Talker, phones_of, talker_of
from tests.support.waiting import until

OPERATION, OTHER = uuid4(), uuid4()
PACKET_SECONDS = 0.02


@contextlib.asynccontextmanager
async def closing(*peers: Peer) -> AsyncIterator[None]:
    """Close them afterwards."""
    try:
        yield
    finally:
        for peer in peers:
            await peer.close()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with running_node(tmp_path) as node:
        yield node


async def test_only_the_chosen_phone_hears_it_and_only_while_the_key_is_down(running: RunningNode) -> None:
    chosen, other = await phones_of(running, OPERATION, ["site-1", "site-2"])
    talker = await talker_of(running, OPERATION)
    async with closing(talker, chosen, other):
        talk_id = talker.talk("site-1")
        assert (await talker.told("talking"))["heard"] == ["site-1"]
        await until(lambda: chosen.sounds > 10, 10)
        shown = running.node._metrics.render().decode()
        assert 'media_node_voice{what="phones"} 2.0' in shown
        assert 'media_node_voice{what="talks"} 1.0' in shown
        assert chosen.speaking[-1] == {"type": "speaking", "id": str(talk_id), "speaker": "王法官"}
        talker.hush(talk_id)
        assert (await talker.told("hushed"))["reason"] == "released"
        await until(lambda: chosen.speaking[-1]["id"] is None)
        counters = running.node.sessions.voice.feeds["voice.site-1"].media.counters
        passed = counters.packets
        gate = running.node.sessions.voice.feeds[_talk_feed(running)].media.counters
        came = gate.packets
        await until(lambda: gate.packets > came + 10, 10)
        assert counters.packets == passed, "sound passed while nobody talked"
        assert other.sounds == 0
        assert running.node.sessions.voice.feeds["voice.site-2"].media.counters.packets == 0
        assert [message["id"] for message in other.speaking] == [None]


def _talk_feed(running: RunningNode) -> str:
    return next(name for name in running.node.sessions.voice.feeds if name.startswith("talk."))


async def test_the_second_who_talks_to_a_phone_is_told_who_does_and_reaches_the_others(running: RunningNode) -> None:
    one, two = await phones_of(running, OPERATION, ["site-1", "site-2"])
    first, second = await talker_of(running, OPERATION), await talker_of(running, OPERATION, name="李法官")
    async with closing(first, second, one, two):
        talk_id = first.talk("site-1")
        await first.told("talking")
        second.talk("site-1")
        busy = [{"type": "busy", "feed": "site-1", "speaker": "王法官"}]
        refused = await second.told("refused")
        assert (refused["code"], _bare(refused["busy"])) == ("busy", _bare(busy))
        assert 'media_node_talks_refused_total{code="busy"} 1.0' in running.node._metrics.render().decode()
        second.talk("site-1", "site-2")
        talking = await second.told("talking")
        assert (talking["heard"], _bare(talking["busy"])) == (["site-2"], _bare(busy))
        await until(lambda: two.sounds > 5, 10)
        assert one.speaking[-1]["speaker"] == "王法官"
        # When the first has ended, the second goes on in the same numbering.
        first.hush(talk_id)
        await first.told("hushed")
        heard = one.sounds
        second.talk("site-1")
        await second.told("talking", 2)
        await until(lambda: one.sounds > heard + 10, 10)
        assert one.speaking[-1]["speaker"] == "李法官"


def _bare(busy: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["feed"], one["speaker"]) for one in busy]


async def test_nobody_talks_to_the_phone_of_another_operation(running: RunningNode) -> None:
    own, foreign = [*await phones_of(running, OPERATION, ["site-1"]), *await phones_of(running, OTHER, ["site-9"])]
    talker = await talker_of(running, OPERATION)
    async with closing(talker, own, foreign):
        talker.talk("site-1", "site-9")
        assert (await talker.told("refused"))["code"] == "not-in-operation"
        assert not running.node.sessions.voice.talks
        # Nor does one hear it who comes later.
        talker.talk("site-1", "site-10")
        await talker.told("talking")
        (late,) = await phones_of(running, OTHER, ["site-10"])
        async with closing(late):
            await until(lambda: own.sounds > 5, 10)
            assert late.speaking[-1]["id"] is None
            assert running.node.sessions.voice.feeds["voice.site-10"].media.counters.packets == 0


async def test_a_phone_that_comes_while_it_is_spoken_to_hears_the_rest(running: RunningNode) -> None:
    talker = await talker_of(running, OPERATION)
    kept: list[TalkChanged] = []
    running.node.sessions.voice._keep = kept.append
    talk_id = talker.talk("site-1")
    assert (await talker.told("talking"))["heard"] == []
    (phone,) = await phones_of(running, OPERATION, ["site-1"])
    async with closing(talker, phone):
        assert (await talker.told("talking", 2))["heard"] == ["site-1"]
        await until(lambda: phone.sounds > 5, 10)
        await phone.delete()
        await until(lambda: talker.of("talking")[-1]["heard"] == [])
        talker.hush(talk_id)
        await talker.told("hushed")
        begin, end = kept
        assert (begin.heard, end.heard) == ((), ("site-1",)), "who heard it and left did hear it"


async def test_a_talker_whose_right_or_session_is_over_is_hushed(running: RunningNode) -> None:
    (phone,) = await phones_of(running, OPERATION, ["site-1"])
    voice = running.node.sessions.voice
    session_id = uuid4()
    for how in ("revoked", "deleted", "vanished"):
        talker = await talker_of(running, OPERATION, session_id=session_id)
        async with closing(talker):
            talker.talk("site-1")
            await until(lambda: phone.speaking[-1]["id"] is not None, 10)
            if how == "revoked":
                running.node.sessions.revoke(Revoked(session_id=session_id, at=0))
            elif how == "deleted":
                await talker.delete()
            else:
                await talker.close()
            await until(lambda: phone.speaking[-1]["id"] is None, 10)
            assert not voice.talks
            await until(lambda: not [name for name in voice.feeds if name.startswith("talk.")])
    assert voice.ended == {"gone": 3}
    talker = await talker_of(running, OPERATION)
    async with closing(talker, phone):
        talker.talk("site-1")
        await talker.told("talking")
        running.node.sessions.revoke(Revoked(feed="site-1", at=0))  # the phone is lost
        assert not [name for name in voice.feeds if name.startswith("voice.")]
        await until(lambda: talker.of("talking")[-1]["heard"] == [])


async def test_a_talk_ends_by_itself_when_it_lasts_too_long_or_falls_silent(running: RunningNode) -> None:
    talker = await talker_of(running, OPERATION)
    voice = running.node.sessions.voice
    kept: list[TalkChanged] = []
    voice._keep = kept.append
    async with closing(talker):
        talk_id = talker.talk("site-1", "site-2", "site-1")
        await talker.told("talking")
        (talk,) = voice.talks
        talk.began_at -= MAX_TALK_SECONDS - WARNING_SECONDS
        voice.sweep(talk.heard_at)
        assert (await talker.told("ending"))["seconds_left"] <= WARNING_SECONDS
        talk.began_at -= WARNING_SECONDS
        voice.sweep(talk.heard_at)
        assert (await talker.told("hushed"))["reason"] == "limit"
        begin, end = kept
        assert (begin.talk, begin.operation_id, begin.to) == (talk_id, OPERATION, ("site-1", "site-2"))
        assert begin.ended_at is None
        assert (end.talk, end.reason, end.to) == (talk_id, "limit", begin.to)
        assert end.ended_at is not None
        talker.talk("site-1")
        await talker.told("talking", 2)
        (talk,) = voice.talks
        voice.sweep(talk.heard_at + SILENT_SECONDS + 0.1)
        assert (await talker.told("hushed", 2))["reason"] == "silent"

        for message in ({"type": "talk", "to": ["x"]}, {"type": "talk", "id": str(uuid4()), "to": []}, {"type": "?"}):
            talker.say(**message)
        assert (await talker.told("refused", 3))["code"] == "message-invalid"
        for _ in range(3 * BURST):
            talker.say(type="nonsense")
        await until(lambda: voice.messages["dropped"] > BURST, 10)
        shown = running.node._metrics.render().decode()
        assert f'media_node_drops_total{{queue="talk_messages"}} {float(voice.messages["dropped"])}' in shown
        assert 'media_node_talk_messages_total{what="invalid"}' in shown


async def test_a_second_line_that_never_connects_takes_nothing_from_the_talk_under_way(running: RunningNode) -> None:
    (phone,) = await phones_of(running, OPERATION, ["site-1"])
    talker = await talker_of(running, OPERATION)
    voice = running.node.sessions.voice
    feed = _talk_feed(running)
    second = Talker(running.url, talker._token)
    async with closing(talker, phone, second):
        talker.talk("site-1")
        await until(lambda: phone.sounds > 5, 10)
        offer = await second.connection.createOffer()
        headers = {"Authorization": f"Bearer {talker._token}", "Content-Type": "application/sdp"}
        async with httpx.AsyncClient(base_url=running.url) as http:
            answered = await http.post(f"/whip/{feed}", content=offer.sdp, headers=headers)
            assert answered.status_code == 201
            (talk,) = voice.talks
            talk.began_at -= MAX_TALK_SECONDS - WARNING_SECONDS
            voice.sweep(talk.heard_at)
            await talker.told("ending")
            talk.began_at -= WARNING_SECONDS
            voice.sweep(talk.heard_at)
            assert (await talker.told("hushed"))["reason"] == "limit"
            await http.delete(answered.headers["location"], headers=headers)
        assert voice.talkers == 1
        # The first is still the one who speaks.
        heard = phone.sounds
        talker.talk("site-1")
        await until(lambda: phone.sounds > heard + 5, 10)


async def test_one_broken_talk_stops_the_clock_of_no_other(running: RunningNode) -> None:
    first, second = await talker_of(running, OPERATION), await talker_of(running, OPERATION)
    voice = running.node.sessions.voice
    async with closing(first, second):
        for talker in (first, second):
            talker.talk("site-1")
            await talker.told("talking")
        broken, whole = voice.talks
        broken.began_at = whole.began_at = broken.began_at - MAX_TALK_SECONDS
        broken.talker.hushed = _break  # type: ignore[method-assign]
        voice.sweep(whole.heard_at)
        assert (await second.told("hushed"))["reason"] == "limit"
        assert running.node.sessions.troubles >= 1


def _break(*arguments: object) -> None:
    raise RuntimeError("broken")


async def test_a_node_that_waits_for_a_talkers_lost_packets_is_repairing(running: RunningNode) -> None:
    talker = await talker_of(running, OPERATION)
    async with closing(talker):
        media = running.node.sessions.voice.feeds[_talk_feed(running)].media
        await until(lambda: media.counters.packets > 5, 10)
        assert not running.node.sessions.is_repairing
        # A browser that offers to repair its sound, and a packet of it that never came.
        losses = Losses()
        media._inlets.all()[0].losses = losses
        losses.arrived(1, 0.0)
        losses.arrived(3, 0.0)
        assert running.node.sessions.is_repairing


async def test_what_was_said_is_a_recording_of_its_own_and_what_was_not_is_in_none(tmp_path: Path) -> None:
    async with running_node(tmp_path, records=True) as running:
        (phone,) = await phones_of(running, OPERATION, ["site-1"])
        talker = await talker_of(running, OPERATION)
        async with closing(talker, phone):
            gate = running.node.sessions.voice.feeds[_talk_feed(running)].media.counters
            await until(lambda: gate.packets > 50, 10)
            talk_id = talker.talk("site-1")
            await until(lambda: phone.sounds > 25, 10)
            talker.hush(talk_id)
            await talker.told("hushed")
            spoken = running.node.sessions.voice.feeds["voice.site-1"].media.counters.packets * PACKET_SECONDS
            came = gate.packets
            await until(lambda: gate.packets > came + 25, 10)
    (path,) = manifests(tmp_path / "recordings")
    manifest = read_manifest(path)
    assert manifest is not None
    assert manifest.closed is not None
    assert manifest.opened.feed.startswith(f"talk.{OPERATION.hex}.")
    (segment,) = manifest.segments
    assert (segment.line.video, segment.line.audio, manifest.closed.reason) == (None, "opus", "ended")
    assert manifest.opened.talk == talk_id
    assert spoken - 2 * PACKET_SECONDS < manifest.closed.seconds < gate.packets * PACKET_SECONDS - 1


async def test_who_may_not_talk_or_listen_is_refused(running: RunningNode) -> None:
    feed = talk_name(talk_line(OPERATION, "x"), "test")
    (phone,) = await phones_of(running, OPERATION, ["site-1"])
    async with closing(phone):
        for token, path in (
            (running.token("*"), f"/whip/{feed}"),  # of no operation
            (running.token("*"), f"/whep/{voice_name('site-2')}"),
            (running.token("*", operation_id=OPERATION), f"/whip/{voice_name('site-1')}"),
            (running.token("*", operation_id=OPERATION), f"/whep/{feed}"),  # nobody listens behind the gate
            (running.token("*", operation_id=OPERATION), f"/whip/{feed}.another"),  # not this node's
        ):
            peer = Talker(running.url, token) if "whip" in path else Phone(running.url, token)
            with pytest.raises(Refused) as refusal:
                await peer._exchange(path)
            assert refusal.value.response.status_code in (403, 409)
            await peer.close()
        async with httpx.AsyncClient(base_url=running.url) as http:
            headers = {"Authorization": f"Bearer {phone._token}", "Content-Type": "application/json"}
            wish = await http.patch(phone.location, content='{"layer":"low"}', headers=headers)
            assert wish.status_code == 204  # it changes nothing: there are no layers of sound


def test_a_talks_name_tells_its_operation_line_and_node() -> None:
    line = talk_line(OPERATION, "abc")
    feed = talk_name(line, "node.1")
    assert (operation_of_talk(feed), line_of_talk(feed), node_of_talk(feed)) == (OPERATION, line, "node.1")
    assert operation_of_talk("talk.nothing.abc.node") is None
    assert operation_of_talk("site-1") is None
    assert node_of_talk(line) == ""
