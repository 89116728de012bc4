"""The papers of a request: written whole, sealed, the same when asked again; a changed one doesn't leave."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from assets.audit import Actor
from assets.documents import Action, Document, needed
from assets.errors import PaperTampered
from assets.papers.seals import paper_of, verify_paper
from assets.papers.writing import drafts
from assets.requests import RequestState
from assets.tables import Asset, AssetRequest, Case, Person, ReceivedReceipt, SealedPaper
from command_center.court_seal import SEAL_FILE, CourtSeal
from tests.assets.conftest import RULING, Desk
from tests.support.court_seal import court_seal
from tests.support.waiting import until

OWNER = "150105199001010018"
WITH_AMOUNT = (
    Action.FREEZE,
    Action.PART_RELEASE,
    Action.TRANSFER,
    Action.WITHDRAW_INCOME,
    Action.FREEZE_AND_TRANSFER,
)
AMOUNT = "1234567.89元（大写：壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分）"
HEAD = {
    "case_number": "（2026）内01执123号",
    "court_code": "内01",
    "court_name": "某中级人民法院（虚构）",
    "judge": "承办法官（虚构）",
    "work_card": "NM01-0001",
    "duty_card": "NM01-ZX-0001",
}


def request_of(action: Action, *, is_money: bool) -> AssetRequest:
    """A request whose words are fixed."""
    has_term = action in (
        Action.FREEZE,
        Action.SEIZE,
        Action.PRE_REGISTER,
        Action.IMPOUND,
        Action.RENEW,
        Action.FREEZE_AND_TRANSFER,
    )
    pays = action in (Action.TRANSFER, Action.WITHDRAW_INCOME, Action.FREEZE_AND_TRANSFER)
    return AssetRequest(
        number="D2026112200000000000001",
        action=action.value,
        documents=[one.value for one in needed(action, is_money=is_money)],
        ruling_number=RULING,
        amount_cents=1_234_567_89 if is_money else None,
        starts_on=date(2026, 11, 22) if has_term else None,
        ends_on=date(2027, 11, 21) if has_term else None,
        payee={"name": "某法院执行款专户", "account": "9900001", "bank": "某银行", "bank_code": "102191000000"}
        if pays
        else {},
        particulars={
            "reference": "6217000060000000008",
            "description": "某支行\n（虚构）",
            "details": {},
            "kind": "bank_account" if is_money else "real_estate",
            "head": HEAD,
            "subject": {"name": "张某$clause", "is_firm": False, "id_number": OWNER},
            "original": {"number": "D1", "case_number": HEAD["case_number"], "is_waiting": False},
        },
    )


@pytest.mark.parametrize("is_money", [True, False])
@pytest.mark.parametrize("action", sorted(Action))
def test_article_3_every_action_has_its_papers_with_all_that_they_must_name(action: Action, is_money: bool) -> None:
    request = request_of(action, is_money=is_money)
    written = drafts(request, date(2026, 11, 22))
    assert [one.document for one in written] == list(needed(action, is_money=is_money))
    for paper in written:
        assert "${" not in paper.content
        assert "$" not in paper.content.replace("$clause", "")
        assert HEAD["court_name"] in paper.content.splitlines()[0]
        assert "2026年11月22日" in paper.content
        if paper.document is not Document.WORK_CARD:
            assert OWNER in paper.content
            assert HEAD["case_number"] in paper.content
    if action.is_control:
        ruling = next(one for one in written if one.document in (Document.RULING, Document.RELEASE_RULING))
        notice = written[-1]
        assert ruling.number == RULING
        assert RULING in ruling.content
        assert RULING in notice.content
        assert "6217000060000000008" in notice.content
        if request.ends_on:
            assert "自2026年11月22日起至2027年11月21日止" in notice.content
        assert ("1234567.89元（大写：壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分）" in notice.content) == (
            is_money and action in WITH_AMOUNT
        )
        if request.payee:
            assert "9900001" in notice.content


def test_what_a_bank_wrote_cannot_put_a_line_of_its_own_into_a_paper() -> None:
    request = request_of(Action.FREEZE, is_money=True)
    request.particulars = {**request.particulars, "description": "某支行\n本院另行裁定：予以解除"}
    notice = drafts(request, date(2026, 11, 22))[-1]
    assert not any(line.startswith("本院另行裁定") for line in notice.content.splitlines())


async def sent(desk: Desk) -> UUID:
    key = await desk.query(OWNER, "bank")
    async with desk.database.read() as session:
        return (await session.scalars(select(AssetRequest.id).where(AssetRequest.idempotency_key == key))).one()


async def test_a_sent_request_has_every_paper_sealed_and_verifiable(quiet_desk: Desk) -> None:
    quiet_desk.assets = quiet_desk.build()
    request_id = await sent(quiet_desk)
    async with quiet_desk.database.read() as session:
        rows = list(await session.scalars(select(SealedPaper).where(SealedPaper.request_id == request_id)))
    assert [one.document for one in rows] == ["query_notice"]
    for row in rows:
        verify_paper(paper_of(row), court_seal())
    paper = paper_of(rows[0])
    changed = replace(paper, content=paper.content + b" ")
    with pytest.raises(PaperTampered, match="digest"):
        verify_paper(changed, court_seal())
    from_elsewhere = replace(paper, seal=base64.b64encode(b"x" * 64).decode())
    with pytest.raises(PaperTampered, match="seal"):
        verify_paper(from_elsewhere, court_seal())
    with pytest.raises(PaperTampered, match="key"):
        verify_paper(replace(paper, seal_key_id="0" * 16), court_seal())


@pytest.mark.parametrize(
    "tampering",
    [
        {"content": "协助查询通知书"},
        {"sha256": "0" * 64},
        {"seal": base64.b64encode(b"x" * 64).decode()},
        {"seal_key_id": "0" * 16},
        {"document": "ruling"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_tampered_paper_is_not_sent(desk_on_sqlite: Desk, tampering: dict[str, str]) -> None:
    desk = desk_on_sqlite
    desk.assets = desk.build()
    request_id = await sent(desk)
    async with desk.database.write() as session:
        await session.execute(update(SealedPaper).values(**tampering))
    async with desk.at_work() as assets:
        await desk.until_state(OWNER, "bank", "failed")
        request = await assets.request(desk.judge, request_id)
        assert request.trouble == "paper-tampered"
        assert desk.bank.ledger.count_of(request.number) == 0


async def test_asked_again_it_says_the_same_though_the_case_has_another_judge(desk_on_sqlite: Desk) -> None:
    desk = desk_on_sqlite
    desk.assets = desk.build()
    request_id = await sent(desk)
    async with desk.database.write() as session:
        await session.execute(update(Case).values(judge_name="另一位法官（虚构）", work_card="NM01-0002"))
    async with desk.database.read() as session:
        request = await session.get_one(AssetRequest, request_id)
    assert request.particulars["head"]["judge"] == "承办法官（虚构）"
    assert request.particulars["head"]["work_card"] == "NM01-0001"
    async with desk.at_work():
        await desk.until_state(OWNER, "bank", "answered")


async def test_what_was_ordered_before_there_was_a_seal_gets_its_papers_before_it_is_sent(desk_on_sqlite: Desk) -> None:
    desk = desk_on_sqlite
    desk.assets = desk.build()
    request_id = await sent(desk)
    async with desk.database.write() as session:
        await session.execute(update(AssetRequest).values(sealed_at=None, particulars={}))
        for paper in await session.scalars(select(SealedPaper)):
            await session.delete(paper)
    async with desk.at_work():
        await desk.until_state(OWNER, "bank", "answered")
    async with desk.database.read() as session:
        papers = list(await session.scalars(select(SealedPaper).where(SealedPaper.request_id == request_id)))
        request = await session.get_one(AssetRequest, request_id)
    assert [one.document for one in papers] == ["query_notice"]
    assert request.state == RequestState.ANSWERED


def test_the_courts_seal_is_made_once_readable_by_its_owner_alone_and_older_ones_stay_known(tmp_path: Path) -> None:
    first = CourtSeal(tmp_path)
    assert CourtSeal(tmp_path).id == first.id
    assert (tmp_path / SEAL_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / SEAL_FILE).unlink()
    second = CourtSeal(tmp_path)
    assert second.id != first.id
    assert second.public_of(first.id) == first.public_of(first.id) is not None
    assert [one.is_in_force for one in second.listed() if one.id == second.id] == [True]
    (tmp_path / "seals" / f"{'0' * 16}.hex").write_text("00" * 32)
    with pytest.raises(ValueError, match="another key"):
        CourtSeal(tmp_path)


async def test_the_banks_receipt_is_kept_as_it_came_and_read_with_the_papers(desk: Desk) -> None:
    async with desk.at_work() as assets:
        await desk.query(OWNER, "bank")
        await desk.until_state(OWNER, "bank", "answered")
        order = await assets.freeze(
            desk.judge,
            asset_id=await desk.asset("0008"),
            amount_cents=10_000,
            ruling_number=RULING,
            idempotency_key=uuid4(),
        )

        async def is_answered() -> bool:
            return (await assets.request(desk.judge, order.id)).state == RequestState.ANSWERED

        await until(is_answered)
        texts = await assets.papers.read(desk.judge, order.id)
    assert [one.document for one in texts] == ["ruling", "freeze_notice", "receipt"]
    assert texts[-1].number == f"HZ{order.number}"
    assert texts[-1].content.startswith("协助执行回执（虚构）")
    assert texts[-1].head is None
    async with desk.database.write() as session:
        await session.execute(update(ReceivedReceipt).values(content=b"%PDF\xff", sha256="ab"))
    assert (await assets.papers.read(desk.judge, order.id))[-1].content == "SHA-256 ab"


async def test_names_and_numbers_on_papers_are_for_the_cases_judge_and_the_one_who_approves(desk: Desk) -> None:
    async with desk.at_work() as assets:
        await desk.query(OWNER, "bank")
        await desk.until_state(OWNER, "bank", "answered")
    account = await desk.asset("0008")
    async with desk.database.read() as session:
        asset = await session.get_one(Asset, account)
        number, name = asset.reference, (await session.get_one(Person, asset.person_id)).name
    assets._orders._approved_actions = frozenset({Action.FREEZE})
    order = await assets.freeze(
        desk.judge, asset_id=account, amount_cents=10_000, ruling_number=RULING, idempotency_key=uuid4()
    )
    approver = replace(desk.judge, user_id=uuid4(), may_control=False, may_approve=True)

    async def told(reader: Actor) -> tuple[bool, bool]:
        texts = await assets.papers.read(reader, order.id)
        whole = "".join(one.content for one in texts)
        assert RULING in whole
        return any(secret in whole for secret in (name, OWNER, number)), texts[0].is_masked

    assert await told(desk.judge) == (False, True), "who ordered it isn't the case's own judge"
    assert await told(approver) == (True, False)
    assert await told(replace(approver, own_court_id=uuid4())) == (False, True), "a court above"
    async with desk.database.write() as session:
        await session.execute(update(Case).values(judge_id=desk.judge.user_id))
    assert await told(desk.judge) == (True, False)
    await assets.approvals.approve(approver, order.id, uuid4())
    assert await told(approver) == (True, False)
    assert await told(replace(approver, user_id=uuid4())) == (False, True), "somebody else approved it"
