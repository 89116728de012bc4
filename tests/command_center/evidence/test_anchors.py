"""Anchors: the heads that moved, signed, outside the database, on the hub, and stamped by somebody else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from command_center.audit import Audit
from command_center.database import Database
from command_center.evidence import anchors as module
from command_center.evidence import timestamps
from command_center.evidence.anchors import PROOF_KEY, Anchors, ProofState, newest_anchor
from command_center.evidence.keyring import Keyring
from command_center.evidence.ledger_file import LedgerFile
from command_center.evidence.proof_watch import ProofWatch
from command_center.evidence.tables import Recording
from command_center.evidence.timestamps import NotStamped, TimeStampAuthority
from streams.hub.hub import Hub
from streams.hub.topics import ANCHOR_KEY, ANCHORS_STREAM, Anchored
from streams.ledger import FIRST, head_of, is_signed_by, line_hash
from tests.command_center.evidence.journalling import journals_of, new_operation, note
from tests.support.time_stamps import Authority, is_installed
from tests.support.valkey import Valkey


@pytest.fixture
async def operation(records: Database) -> UUID:
    return await new_operation(records)


@pytest.fixture
def anchors(records: Database, hub: Hub, tmp_path: Path) -> Anchors:
    return anchors_of(records, hub, tmp_path)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    if not is_installed():
        pytest.skip("no openssl program")
    authority = Authority(tmp_path / "tsa")
    authority.start()
    yield authority
    authority.stop()


def anchors_of(records: Database, hub: Hub, data: Path, authority: TimeStampAuthority | None = None) -> Anchors:
    keyring = Keyring(data, data / "keys")
    keyring.ensure()
    return Anchors(records, hub, data, keyring, authority)


def lines(data: Path) -> list[dict[str, Any]]:
    """The lines of the anchors, whose chain and signatures are good; each with its `hash`."""
    keys = {record.id: bytes.fromhex(record.public) for record in Keyring(data, data / "keys").listed()}
    previous, sequence, found = FIRST, 0, []
    for raw in (data / "proof" / "anchors.jsonl").read_bytes().split(b"\n")[:-1]:
        line = json.loads(raw)
        assert line["previous"] == previous
        previous = line_hash(raw)
        if line["type"] == "anchor":
            assert is_signed_by(raw, "anchors/1", keys[line["signer"]])
            sequence += 1
            assert line["sequence"] == sequence
        found.append({**line, "hash": line.get("hash", previous), "raw": raw})
    return found


async def audited(records: Database) -> None:
    async with records.write() as session:
        await Audit().record(session, actor=None, court_id=None, action="a", subject_type="t", subject_id="1")


async def recorded(records: Database, operation: UUID, lines: int = 3) -> UUID:
    recording = Recording(
        id=uuid4(), operation_id=operation, node="node-1", manifest=f"{uuid4()}.jsonl", version=2,
        started_at=datetime.now(UTC), lines=lines, head="ab" * 32,
    )  # fmt: skip
    async with records.write() as session:
        session.add(recording)
    return recording.id


async def test_every_ledger_that_moved_is_anchored_and_only_those(
    records: Database, operation: UUID, anchors: Anchors, tmp_path: Path
) -> None:
    recording = await recorded(records, operation)
    await audited(records)
    journals = journals_of(records, tmp_path)
    await note(records, operation, 1)
    await journals.step()
    assert await anchors.anchor() == 4
    assert await anchors.anchor() == 0
    await note(records, operation, 2)
    await journals.step()
    async with records.write() as session:
        await session.execute(update(Recording).where(Recording.id == recording).values(lines=9, head="cd" * 32))
    assert await anchors.anchor() == 2
    first, second = lines(tmp_path)
    journal = head_of(tmp_path / "proof" / "journals" / f"{operation}.jsonl")
    assert first["heads"]["keys"] == [1, head_of(tmp_path / "proof" / "keys.jsonl").hash]
    assert first["heads"]["audit"][0] == 1
    assert first["heads"][f"manifest:{recording}"] == [3, "ab" * 32]
    assert second["heads"] == {
        f"journal:{operation}": [journal.lines, journal.hash],
        f"manifest:{recording}": [9, "cd" * 32],
    }


async def test_nodes_and_whoever_listens_on_the_hub_get_each_anchor(
    records: Database, anchors: Anchors, hub: Hub, tmp_path: Path
) -> None:
    for _ in range(2):
        await audited(records)
        await anchors.anchor()
    told = [Anchored.model_validate_json(text) for _, text in await hub.read_after(ANCHORS_STREAM, "0")]
    assert [(one.sequence, one.hash) for one in told] == [(line["sequence"], line["hash"]) for line in lines(tmp_path)]
    assert Anchored.model_validate_json(await hub.value(ANCHOR_KEY) or "") == told[-1]
    assert newest_anchor(tmp_path) == (2, told[-1].hash)
    assert ProofState.model_validate_json(await hub.value(PROOF_KEY) or "").sequence == 2


async def test_while_the_hub_is_away_it_goes_on_and_tells_later(
    records: Database, anchors: Anchors, hub: Hub, valkey: Valkey, tmp_path: Path
) -> None:
    valkey.kill()
    for _ in range(3):
        await audited(records)
        await anchors.anchor()
    assert len(lines(tmp_path)) == 3
    valkey.start()
    await anchors.anchor()
    assert len(await hub.read_after(ANCHORS_STREAM, "0")) == 3


async def test_another_worker_goes_on_where_the_last_one_stopped(
    records: Database, hub: Hub, anchors: Anchors, operation: UUID, tmp_path: Path
) -> None:
    await recorded(records, operation)
    await anchors.anchor()
    heir = anchors_of(records, hub, tmp_path)
    assert await heir.anchor() == 0
    await audited(records)
    assert await heir.anchor() == 1
    await audited(records)
    assert await anchors.anchor() == 1
    assert len(lines(tmp_path)) == 3


@pytest.mark.parametrize("cut", [1, 40, 200])
async def test_a_torn_end_is_mended_and_what_it_told_of_anchored_again(
    records: Database, hub: Hub, anchors: Anchors, tmp_path: Path, cut: int
) -> None:
    await anchors.anchor()
    await audited(records)
    await anchors.anchor()
    path = tmp_path / "proof" / "anchors.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert await anchors_of(records, hub, tmp_path).anchor() == 1
    assert lines(tmp_path)[-1]["heads"].keys() == {"audit"}


async def test_many_heads_go_into_several_anchors(
    records: Database, operation: UUID, anchors: Anchors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_ANCHOR", 5)
    recordings = {f"manifest:{await recorded(records, operation)}" for _ in range(12)}
    assert await anchors.anchor() == 13
    assert [len(line["heads"]) for line in lines(tmp_path)] == [5, 5, 3]
    assert {name for line in lines(tmp_path) for name in line["heads"]} == recordings | {"keys"}


async def test_a_head_that_went_back_isnt_anchored_over_the_one_that_was(
    records: Database, operation: UUID, anchors: Anchors, tmp_path: Path
) -> None:
    recording = await recorded(records, operation, 9)
    await anchors.anchor()
    async with records.write() as session:
        await session.execute(update(Recording).where(Recording.id == recording).values(lines=4, head="cd" * 32))
    assert await anchors.anchor() == 0
    assert len(lines(tmp_path)) == 1


@pytest.mark.parametrize("how", ["cut", "gone"])
async def test_a_ledger_that_lost_what_was_anchored_is_told(
    records: Database, hub: Hub, operation: UUID, anchors: Anchors, tmp_path: Path, how: str
) -> None:
    journals = journals_of(records, tmp_path)
    for number in (1, 2):
        await note(records, operation, number)
        await journals.step()
    tombstones = tmp_path / "proof" / "tombstones.jsonl"
    written = LedgerFile(tombstones, "tombstones/1")
    written.open()
    written.append([({"type": "x"}, None), ({"type": "x"}, None)])
    await anchors.anchor()
    assert await broken(hub) == 0
    whole = {path: path.read_bytes() for path in (tombstones, tmp_path / "proof" / "journals" / f"{operation}.jsonl")}
    for path, content in whole.items():
        if how == "gone":
            path.unlink()
        else:
            path.write_bytes(content[: content.index(b"\n") + 1])
    assert await anchors.anchor() == 0
    assert await broken(hub) == 2
    assert (await ProofWatch(records, hub).look()).state == "faulty"
    # A worker that is started afterwards tells of it as well.
    await anchors_of(records, hub, tmp_path).anchor()
    assert await broken(hub) == 2
    for path, content in whole.items():
        path.write_bytes(content)
    await anchors.anchor()
    assert await broken(hub) == 0


async def broken(hub: Hub) -> int:
    return ProofState.model_validate_json(await hub.value(PROOF_KEY) or "").broken


async def test_each_newest_anchor_is_stamped_and_anybody_can_check_it(
    records: Database, hub: Hub, tmp_path: Path, authority: Authority
) -> None:
    anchors = anchors_of(records, hub, tmp_path, TimeStampAuthority(authority.url, authority.root))
    await anchors.anchor()
    assert await anchors.stamp()
    assert await anchors.stamp()
    await audited(records)
    await anchors.anchor()
    assert await anchors.stamp()
    first, stamp, _, last = lines(tmp_path)
    assert (stamp["type"], stamp["of"], stamp["hash"], stamp["authority"]) == (
        "timestamp",
        1,
        first["hash"],
        authority.url,
    )
    assert last["of"] == 2
    assert authority.verify(first["raw"], base64.b64decode(stamp["token"]))
    assert not authority.verify(first["raw"] + b" ", base64.b64decode(stamp["token"]))
    assert authority.asked == 2
    assert await anchors_of(records, hub, tmp_path, TimeStampAuthority(authority.url)).anchor() == 0
    assert authority.asked == 2


async def test_an_authority_that_fails_is_asked_again_later_and_never_stops_the_anchoring(
    records: Database, hub: Hub, tmp_path: Path, authority: Authority
) -> None:
    anchors = anchors_of(records, hub, tmp_path, TimeStampAuthority(authority.url))
    for mood in ("broken", "garbage", "refusing", "of-something-else"):
        authority.mood = mood
        await audited(records)
        await anchors.anchor()
        assert not await anchors.stamp()
        assert not await anchors.stamp()
        anchors._stamp_at = 0.0
    assert authority.asked == 4
    assert [line["type"] for line in lines(tmp_path)] == ["anchor"] * 4
    authority.mood = "well"
    assert await anchors.stamp()
    assert (lines(tmp_path)[-1]["type"], lines(tmp_path)[-1]["of"]) == ("timestamp", 4)


async def test_a_stamp_of_a_stranger_isnt_taken(tmp_path: Path, authority: Authority) -> None:
    stranger = Authority(tmp_path / "stranger")
    with pytest.raises(NotStamped):
        await TimeStampAuthority(authority.url, stranger.root).stamp(b"data")
    stranger._server.server_close()
    assert await TimeStampAuthority(authority.url, authority.root).stamp(b"data")


async def test_an_authority_that_never_ends_its_answer_is_left_after_a_while(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timestamps, "TIMEOUT_SECONDS", 0.5)
    authority.mood = "dripping"
    with pytest.raises(NotStamped, match="doesn't answer"):
        await TimeStampAuthority(authority.url).stamp(b"data")


async def test_an_authority_that_isnt_there_is_told_as_such() -> None:
    with pytest.raises(NotStamped, match="doesn't answer"):
        await TimeStampAuthority("http://127.0.0.1:1/tsr").stamp(b"data")
