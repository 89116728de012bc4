"""Sessions: who gets one, what ends it, and that secrets are not kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from command_center.accounts.media_tokens import MediaTokens
from command_center.accounts.passwords import Passwords
from command_center.accounts.permissions import Role
from command_center.accounts.revocations import Revocations
from command_center.accounts.service import Accounts, NewUser
from command_center.accounts.sessions import ExpiredSignIns
from command_center.accounts.sign_ins import (
    ABSOLUTE_HOURS,
    PROGRAM_HOURS,
    TRIES_FOR_A_USER,
    TRIES_FOR_A_USER_FROM_AN_ADDRESS,
    TRIES_OF_AN_ADDRESS,
    Admission,
    SignIns,
)
from command_center.accounts.tables import Court, MediaToken, SignIn
from command_center.audit import Audit, AuditEntry
from command_center.database import Database
from command_center.errors import Conflict, Invalid, NotFound, NotPermitted, NotSignedIn, TooMany
from command_center.outbox import Outbox
from streams.hub.hub import Hub
from streams.hub.topics import REVOCATIONS_STREAM, Revoked
from streams.signalling.tokens import LONGEST_LIFE_SECONDS, TokenRefused, load_private_key, make_keys
from tests.support.valkey import Valkey

PASSWORD = "correct horse battery"
ADDRESS = "192.0.2.7"


class SetClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go_on(self, **parts: float) -> None:
        self.at += timedelta(**parts)


@dataclass
class Desk:
    """Accounts and sign-ins on one database and hub, with a clock that is set."""

    database: Database
    hub: Hub
    clock: SetClock
    accounts: Accounts
    sign_ins: SignIns

    async def person(self, username: str, role: Role = Role.COMMANDER, court: str = "内01") -> UUID:
        made = await self.accounts.create_user(None, NewUser(username, PASSWORD, role, court))
        return made.id

    async def sign_in(self, username: str, **more: object) -> Admission:
        return await self.sign_ins.sign_in(username, PASSWORD, None, ADDRESS, **more)  # type: ignore[arg-type]

    async def revoked(self) -> list[Revoked]:
        entries = await self.hub.read_after(REVOCATIONS_STREAM, "0", wait_seconds=0.1)
        return [Revoked.model_validate_json(event) for _, event in entries]


@pytest.fixture
async def desk(records: Database, hub: Hub) -> Desk:
    clock, audit = SetClock(), Audit()
    revocations = Revocations(Outbox(records, hub), hub)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    roles = frozenset({Role.APPROVER})
    async with records.write() as session:
        city = Court(code="内01", name_zh="市", name_en="City")
        session.add(city)
        await session.flush()
        session.add(Court(code="内0105", name_zh="区", name_en="District", parent_id=city.id))
    return Desk(
        records,
        hub,
        clock,
        Accounts(records, audit, revocations, second_factor_roles=roles, passwords=passwords, clock=clock),
        SignIns(
            records,
            audit,
            revocations,
            idle_minutes=60,
            second_factor_roles=roles,
            passwords=passwords,
            clock=clock,
        ),
    )


async def test_the_right_password_opens_a_session_that_recognizes_its_holder(desk: Desk) -> None:
    user_id = await desk.person("lin")
    admission = await desk.sign_in("lin")
    found = await desk.sign_ins.recognize(admission.secret, is_program=False)
    assert found is not None
    assert found.identity.user_id == user_id
    assert found.identity.role is Role.COMMANDER
    assert found.csrf_token == admission.csrf_token


async def test_neither_the_password_nor_the_secret_is_kept(desk: Desk) -> None:
    await desk.person("lin")
    admission = await desk.sign_in("lin")
    async with desk.database.read() as session:
        row = (await session.scalars(select(SignIn))).one()
    assert admission.secret.encode() not in row.secret_hash
    assert row.secret_hash != admission.secret.encode()


@pytest.mark.parametrize(("username", "password"), [("lin", "wrong horse battery"), ("nobody", PASSWORD), ("lin", "")])
async def test_a_wrong_password_and_an_unknown_user_are_told_the_same(desk: Desk, username: str, password: str) -> None:
    await desk.person("lin")
    with pytest.raises(NotSignedIn) as refused:
        await desk.sign_ins.sign_in(username, password, None, ADDRESS)
    assert refused.value.code == "wrong-credentials"


async def _try(desk: Desk, username: str, address: str) -> None:
    with pytest.raises(NotSignedIn):
        await desk.sign_ins.sign_in(username, "wrong", None, address)


async def test_wrong_tries_from_elsewhere_do_not_lock_a_user_out(desk: Desk) -> None:
    await desk.person("lin")
    for _ in range(TRIES_FOR_A_USER_FROM_AN_ADDRESS):
        await _try(desk, "lin", "192.0.2.99")
    for _ in range(TRIES_FOR_A_USER):
        with pytest.raises(TooMany):
            await desk.sign_ins.sign_in("lin", PASSWORD, None, "192.0.2.99")
    await desk.sign_in("lin")


async def test_tries_at_one_user_from_everywhere_and_at_every_user_from_one_address_are_bounded(desk: Desk) -> None:
    await desk.person("lin")
    for number in range(TRIES_FOR_A_USER):
        await _try(desk, "lin", f"192.0.2.{number}")
    with pytest.raises(TooMany):
        await desk.sign_in("lin")
    for number in range(TRIES_OF_AN_ADDRESS):
        await _try(desk, f"nobody{number}", "198.51.100.1")
    with pytest.raises(TooMany):
        await _try(desk, "somebody", "198.51.100.1")


async def test_right_sign_ins_are_never_too_many(desk: Desk) -> None:
    await desk.person("lin")
    for _ in range(TRIES_FOR_A_USER_FROM_AN_ADDRESS + 5):
        await desk.sign_in("lin")


async def test_an_idle_session_ends_and_a_used_one_goes_on(desk: Desk) -> None:
    await desk.person("lin")
    admission = await desk.sign_in("lin")
    for _ in range(3):
        desk.clock.go_on(minutes=50)
        assert await desk.sign_ins.recognize(admission.secret, is_program=False)
    desk.clock.go_on(minutes=61)
    assert await desk.sign_ins.recognize(admission.secret, is_program=False) is None


async def test_sessions_that_are_over_are_ended_batch_by_batch_and_the_nodes_are_told(desk: Desk) -> None:
    await desk.person("lin")
    expired = ExpiredSignIns(
        desk.database, Revocations(Outbox(desk.database, desk.hub), desk.hub), idle_minutes=60, clock=desk.clock
    )
    idle = [await desk.sign_in("lin") for _ in range(3)]
    seen, program = await desk.sign_in("lin"), await desk.sign_in("lin", is_program=True)
    desk.clock.go_on(minutes=61)
    await desk.sign_ins.keep_seen({seen.identity.session_id})
    assert [await expired.end(limit=2) for _ in range(3)] == [2, 1, 0]
    assert {event.session_id for event in await desk.revoked()} == {one.identity.session_id for one in idle}
    desk.clock.go_on(hours=PROGRAM_HOURS)
    await desk.sign_ins.keep_seen({seen.identity.session_id, program.identity.session_id})
    assert await expired.end() == 1
    assert [event.session_id for event in await desk.revoked()][3:] == [program.identity.session_id]


async def test_a_session_ends_for_good_however_busy(desk: Desk) -> None:
    await desk.person("lin")
    admission = await desk.sign_in("lin")
    for _ in range(ABSOLUTE_HOURS * 2 - 1):
        desk.clock.go_on(minutes=30)
        assert await desk.sign_ins.recognize(admission.secret, is_program=False)
    desk.clock.go_on(minutes=30)
    assert await desk.sign_ins.recognize(admission.secret, is_program=False) is None


async def test_a_programs_token_is_no_cookie_and_a_cookie_no_token(desk: Desk) -> None:
    await desk.person("lin")
    cookie, token = await desk.sign_in("lin"), await desk.sign_in("lin", is_program=True)
    assert await desk.sign_ins.recognize(cookie.secret, is_program=True) is None
    assert await desk.sign_ins.recognize(token.secret, is_program=False) is None
    assert await desk.sign_ins.recognize(token.secret, is_program=True)
    desk.clock.go_on(hours=PROGRAM_HOURS)
    assert await desk.sign_ins.recognize(token.secret, is_program=True) is None


async def test_signing_out_ends_the_session_and_tells_the_nodes(desk: Desk) -> None:
    await desk.person("lin")
    admission, other = await desk.sign_in("lin"), await desk.sign_in("lin")
    await desk.sign_ins.sign_out(admission.identity)
    assert await desk.sign_ins.recognize(admission.secret, is_program=False) is None
    assert await desk.sign_ins.recognize(other.secret, is_program=False)
    assert [event.session_id for event in await desk.revoked()] == [admission.identity.session_id]
    assert await desk.sign_ins.alive({admission.identity.session_id, other.identity.session_id}) == {
        other.identity.session_id
    }


async def test_a_sign_out_while_the_hub_is_away_reaches_it_later(desk: Desk, valkey: Valkey) -> None:
    await desk.person("lin")
    admission = await desk.sign_in("lin")
    valkey.kill()
    await desk.sign_ins.sign_out(admission.identity)
    assert await desk.sign_ins.recognize(admission.secret, is_program=False) is None
    valkey.start()
    assert await Outbox(desk.database, desk.hub).flush() == 1
    assert [event.session_id for event in await desk.revoked()] == [admission.identity.session_id]


async def test_disabling_an_account_ends_all_its_sessions_and_it_signs_in_no_more(desk: Desk) -> None:
    user_id = await desk.person("lin")
    first, second = await desk.sign_in("lin"), await desk.sign_in("lin", is_program=True)
    await desk.accounts.disable_user(None, user_id)
    assert await desk.sign_ins.recognize(first.secret, is_program=False) is None
    assert await desk.sign_ins.recognize(second.secret, is_program=True) is None
    assert {event.session_id for event in await desk.revoked()} == {
        first.identity.session_id,
        second.identity.session_id,
    }
    with pytest.raises(NotSignedIn):
        await desk.sign_in("lin")


async def test_changing_the_password_ends_the_other_sessions_only(desk: Desk) -> None:
    await desk.person("lin")
    mine, other = await desk.sign_in("lin"), await desk.sign_in("lin")
    with pytest.raises(NotSignedIn):
        await desk.accounts.change_password(mine.identity, "wrong", "another good password")
    with pytest.raises(Invalid):
        await desk.accounts.change_password(mine.identity, PASSWORD, "short")
    await desk.accounts.change_password(mine.identity, PASSWORD, "another good password")
    assert await desk.sign_ins.recognize(mine.secret, is_program=False)
    assert await desk.sign_ins.recognize(other.secret, is_program=False) is None
    with pytest.raises(NotSignedIn):
        await desk.sign_in("lin")


async def test_a_role_with_a_second_factor_needs_the_code_and_each_code_works_once(desk: Desk) -> None:
    made = await desk.accounts.create_user(None, NewUser("gao", PASSWORD, Role.APPROVER, "内01"))
    assert made.totp_uri is not None
    totp = pyotp.parse_uri(made.totp_uri)
    assert isinstance(totp, pyotp.TOTP)
    for code, expected in ((None, "second-factor-required"), ("000000", "second-factor-wrong")):
        with pytest.raises(NotSignedIn) as refused:
            await desk.sign_ins.sign_in("gao", PASSWORD, code, ADDRESS)
        assert refused.value.code == expected
    code = totp.at(desk.clock.at)
    await desk.sign_ins.sign_in("gao", PASSWORD, code, ADDRESS)
    with pytest.raises(NotSignedIn):
        await desk.sign_ins.sign_in("gao", PASSWORD, code, ADDRESS)
    desk.clock.go_on(seconds=30)
    await desk.sign_ins.sign_in("gao", PASSWORD, totp.at(desk.clock.at), ADDRESS)


async def test_the_wrong_password_of_such_a_role_does_not_tell_that_a_code_is_needed(desk: Desk) -> None:
    await desk.person("gao", Role.APPROVER)
    with pytest.raises(NotSignedIn) as refused:
        await desk.sign_ins.sign_in("gao", "wrong", None, ADDRESS)
    assert refused.value.code == "wrong-credentials"


async def test_the_city_sees_its_district_and_not_the_other_way_round(desk: Desk) -> None:
    await desk.person("city")
    await desk.person("district", court="内0105")
    city_identity, district_identity = [(await desk.sign_in(name)).identity for name in ("city", "district")]
    assert district_identity.court_ids == {district_identity.court_id}
    assert city_identity.court_ids == {city_identity.court_id, district_identity.court_id}


async def test_only_the_security_administrator_makes_accounts_and_only_in_its_courts(desk: Desk) -> None:
    await desk.person("lin")
    await desk.person("security", Role.SECURITY_ADMINISTRATOR, "内0105")
    commander, security = (await desk.sign_in("lin")).identity, (await desk.sign_in("security")).identity
    with pytest.raises(NotPermitted):
        await desk.accounts.create_user(commander, NewUser("new", PASSWORD, Role.OFFICER, "内01"))
    with pytest.raises(NotFound):
        await desk.accounts.create_user(security, NewUser("new", PASSWORD, Role.OFFICER, "内01"))
    await desk.accounts.create_user(security, NewUser("new", PASSWORD, Role.OFFICER, "内0105"))
    with pytest.raises(Conflict):
        await desk.accounts.create_user(security, NewUser("new", PASSWORD, Role.OFFICER, "内0105"))
    assert {user.username for user in await desk.accounts.list_users(security)} == {"security", "new"}
    with pytest.raises(NotFound):
        await desk.accounts.disable_user(security, commander.user_id)


@pytest.mark.parametrize("username", ["", "A", "with space", "名字", "x" * 65, "-dash", "a/b"])
async def test_a_name_that_could_be_confused_is_refused(desk: Desk, username: str) -> None:
    with pytest.raises(Invalid):
        await desk.accounts.create_user(None, NewUser(username, PASSWORD, Role.OFFICER, "内01"))


async def test_the_language_goes_on_into_the_next_session(desk: Desk) -> None:
    await desk.person("lin")
    first = await desk.sign_in("lin")
    await desk.sign_ins.set_language(first.identity, "en")
    again = await desk.sign_ins.recognize(first.secret, is_program=False)
    assert again is not None
    assert again.identity.language == "en"
    assert (await desk.sign_in("lin")).identity.language == "en"
    with pytest.raises(Invalid):
        await desk.sign_ins.set_language(first.identity, "fr")


async def test_sign_ins_and_refusals_are_audited(desk: Desk) -> None:
    user_id = await desk.person("lin")
    admission = await desk.sign_in("lin")
    with pytest.raises(NotSignedIn):
        await desk.sign_ins.sign_in("lin", "wrong", None, ADDRESS)
    await desk.sign_ins.sign_out(admission.identity)
    async with desk.database.read() as session:
        entries = (await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence))).all()
    assert [entry.action for entry in entries] == [
        "user.created",
        "session.began",
        "session.refused",
        "session.ended",
    ]
    assert [entry.actor_id for entry in entries] == [None, user_id, None, user_id]


async def test_no_token_opens_a_revoked_feed(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)

    async def is_feed_revoked(name: str) -> bool:
        return name == "feed.1"

    tokens = MediaTokens(desk.database, Audit(), load_private_key(folder), minutes=10, is_feed_revoked=is_feed_revoked)
    issued = await tokens.issue(None, "feed.*", operation_id=None, court_id=None, may_publish=True)
    with pytest.raises(TokenRefused) as refused:
        await tokens.check(issued.access_token, "feed.1", "publish")
    assert refused.value.code == "feed-revoked"
    assert (await tokens.check(issued.access_token, "feed.2", "publish")).feed == "feed.*"
    forever = await tokens.issue(None, "feed.2", operation_id=None, court_id=None, may_view=True, minutes=100_000)
    assert forever.expires_in == LONGEST_LIFE_SECONDS, "longer than a revocation is remembered"


async def test_media_tokens_die_with_their_session(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    tokens = MediaTokens(desk.database, Audit(), load_private_key(folder), minutes=10)
    await desk.person("lin")
    admission = await desk.sign_in("lin")
    issued = await tokens.issue(
        admission.identity, "feed.1", operation_id=None, court_id=admission.identity.court_id, may_view=True
    )
    grant = await tokens.check(issued.access_token, "feed.1", "view")
    assert grant.session_id == admission.identity.session_id
    for feed, right, code in (("feed.2", "view", "token-feed"), ("feed.1", "publish", "token-right")):
        with pytest.raises(TokenRefused) as refused:
            await tokens.check(issued.access_token, feed, right)
        assert refused.value.code == code
    await desk.sign_ins.sign_out(admission.identity)
    with pytest.raises(TokenRefused) as refused:
        await tokens.check(issued.access_token, "feed.1", "view")
    assert refused.value.code == "token-revoked"
    with pytest.raises(NotSignedIn):
        await tokens.issue(admission.identity, "feed.1", operation_id=None, court_id=None, may_view=True)
    async with desk.database.read() as session:
        assert (await session.scalars(select(MediaToken))).one().revoked_at is not None
