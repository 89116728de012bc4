"""A package tells nothing of other courts' operations, though they share its ledgers."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from command_center.evidence.exports.builder import NoRoom
from command_center.evidence.verifier import verify
from streams.ledger import Chain, Head, Signer, head_of
from tests.command_center.evidence.exports.conftest import Case, build_package
from tests.support.manifests import START_MS
from tests.support.signing import signer

FEED, NODE, PERSON = "chifeng-camera-9", "node-of-chifeng", "斯琴高娃"
OPERATION, RECORDING, OFFICER = UUID(int=41), UUID(int=42), UUID(int=43)


def add(case: Case, name: str, kind: str, fields: Mapping[str, Any], by: Signer | None = None) -> Head:
    """Append a line to one of the shared ledgers; gives where it stands then."""
    path = case.data / "proof" / f"{name}.jsonl"
    chain = Chain(f"{name}/1", head_of(path))
    with path.open("ab") as file:
        file.write(chain.line({"type": kind, **fields}, by or case.signer()))
    return chain.head


def add_others(case: Case) -> None:
    """Another court's node, deletion and anchors."""
    key = signer(NODE)
    fields = {"at": START_MS, "key": key.id, "public": key.public.hex(), "owner": f"node:{NODE}", "replaces": None}
    keys = add(case, "keys", "key", fields)
    tombstones = add(
        case, "tombstones", "tombstone",
        {
            "at": START_MS + 130_000, "recording": str(RECORDING), "operation": str(OPERATION), "feed": FEED,
            "segments": [1], "manifest": [5, "1" * 64], "class": "C", "reason": f"{PERSON}的住所",
            "proposed_by": str(OFFICER), "proposed_at": START_MS, "approved_by": str(UUID(int=44)),
        },
    )  # fmt: skip
    shared = {"keys": keys, "tombstones": tombstones}
    told = [{name: [head.lines, head.hash] for name, head in shared.items()}]
    told += [{f"manifest:{RECORDING}": [lines, f"{lines:064}"]} for lines in range(1, 6)]
    told += [{f"manifest:{case.manifests[0].stem}": _pair(head_of(case.manifests[0]))}]
    for sequence, heads in enumerate(told, start=2):
        fields = {"sequence": sequence, "at": START_MS + 120_000 + sequence * 60_000, "heads": heads}
        add(case, "anchors", "anchor", fields)


def _pair(head: Head) -> list[object]:
    return [head.lines, head.hash]


async def packed(case: Case, name: str = "work") -> Path:
    """The package of the case, unpacked beside its ZIP."""
    path = await asyncio.to_thread(case.build, case.wanted(feeds=("feed-1",)), name)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.parent / "unpacked")
    return path


async def test_what_others_do_is_in_no_file_of_a_package(case: Case) -> None:
    add_others(case)
    path = await packed(case)
    for file in (path.parent / "unpacked").rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        # The ring of keys is whole: it names nodes, and no people.
        nodes = () if file.name == "keys.jsonl" else (NODE, signer(NODE).id)
        for planted in (FEED, *nodes, PERSON, OPERATION, RECORDING, OFFICER):
            assert str(planted).encode() not in data, (file.name, planted)


async def test_such_a_package_verifies_and_says_what_it_leaves_out(case: Case) -> None:
    add_others(case)
    path = await packed(case)
    report = await asyncio.to_thread(verify, path, trusted=[case.signer().id])
    assert report.exit_code == 0, report.text("en")
    told = {(one.code, one.where): one.values["lines"] for one in report.findings}
    assert told == {("excerpt-absent", "proof/tombstones.jsonl"): 1, ("excerpt", "proof/anchors.jsonl"): 5}
    assert (path.parent / "unpacked/proof/keys.jsonl").read_bytes() == (case.data / "proof/keys.jsonl").read_bytes()
    index = json.loads((path.parent / "unpacked" / "package.json").read_bytes())
    assert {name: [gap[:2] for gap in gaps] for name, gaps in index["excerpts"].items()} == {
        "proof/anchors.jsonl": [[3, 5]],
        "proof/tombstones.jsonl": [[1, 1]],
    }


async def test_what_comes_to_the_ledgers_afterwards_changes_no_package(case: Case) -> None:
    """One that was begun before and is gone on with comes out to the byte the same."""
    add_others(case)
    wanted, work = case.wanted(feeds=("feed-1",)), case.data / "exports" / "begun"
    records = f"sqlite+aiosqlite:///{case.data}/records.sqlite3"
    with pytest.raises(NoRoom):
        await asyncio.to_thread(build_package, case.data, wanted, work, records, reserve_bytes=1 << 60)
    before = (await packed(case)).read_bytes()
    add(case, "anchors", "anchor", {"sequence": 9, "at": START_MS + 900_000, "heads": {}})
    assert (await asyncio.to_thread(case.build, wanted, "begun")).read_bytes() == before
