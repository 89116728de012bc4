"""A kind of gateway is one module: it is found, opened, simulated and named without a word about it elsewhere."""

from __future__ import annotations

import importlib
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import assets
from assets.errors import GatewayRefused, GatewayUnreachable
from assets.gateway_settings import GatewaySettings, GatewaysMisconfigured, read_file
from assets.kinds import GatewayKind, kinds, names_of, open_gateways, simulator_of
from assets.posting import _trusting
from assets.terms import AssetKind
from command_center.config import Settings
from command_center.gateways import GatewaysCollector, gateways_listed, gateways_of, simulators_of
from command_center.translations import _words, catalogue
from tests.assets.simulators.orders import query
from tests.support.simulator import Simulator

SECURITIES = dedent('''
    """Securities, as somebody might add them."""

    from fastapi import FastAPI, Request, Response
    from pydantic import BaseModel

    from assets.documents import Action
    from assets.gateway import FoundAsset, QueryAnswer
    from assets.kinds import GatewayKind
    from assets.terms import AssetKind


    class Reply(BaseModel):
        number: str
        holdings: list[str]


    class Clearing:
        actions = frozenset({Action.FREEZE})

        def __init__(self, settings, poster):
            self.name = settings.name
            self._poster = poster

        async def query(self, order):
            reply = await self._poster.post("/query", {"number": order.head.number}, Reply, "number")
            found = [FoundAsset(AssetKind.OTHER_RIGHT, one, one, None, None) for one in reply.holdings]
            return QueryAnswer(tuple(found), None)

        async def close(self):
            await self._poster.close()


    def simulator(conduct):
        app = FastAPI()

        @app.post("/query")
        async def query(request: Request) -> Response:
            asked = await conduct.talk.read(request)
            return conduct.talk.respond(request, {"number": asked["number"], "holdings": ["A600000"]})

        return app


    KIND: GatewayKind = GatewayKind(
        name="securities",
        names={"zh": "证券登记结算", "en": "Securities clearing"},
        asset=AssetKind.OTHER_RIGHT,
        actions=Clearing.actions,
        open=Clearing,
        simulator="assets.securities:simulator",
    )
''')


@pytest.fixture
def securities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayKind]:
    """A kind that is put beside the others while the product runs."""
    (tmp_path / "securities.py").write_text(SECURITIES, encoding="utf-8")
    monkeypatch.setattr(assets, "__path__", [*assets.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    _words.cache_clear()
    yield kinds()["securities"]
    sys.modules.pop("assets.securities", None)
    _words.cache_clear()


def test_banks_real_estate_and_movables_are_there() -> None:
    known = kinds()
    assert [(kind.name, kind.asset) for kind in known.values()][:2] == [
        ("bank", AssetKind.BANK_ACCOUNT),
        ("registry", AssetKind.REAL_ESTATE),
    ]
    assert AssetKind.MOVABLE in {kind.asset for kind in known.values()}
    for kind in known.values():
        assert set(kind.names) == {"zh", "en"}
        assert all(set(words) == {"zh", "en"} for words in kind.words.values())
        assert callable(simulator_of(kind))


async def test_a_kind_that_is_added_is_opened_asked_simulated_and_named(
    securities: GatewayKind, tmp_path: Path
) -> None:
    simulator = Simulator("securities", tmp_path / "securities.sqlite3")
    await simulator.start()
    settings = GatewaySettings(name="clearing", kind="securities", url=simulator.url)
    gateway = open_gateways([settings])[0]
    assert [asset.reference for asset in (await gateway.query(query())).assets] == ["A600000"]
    await gateway.close()
    await simulator.stop()
    assert names_of([settings]) == {"clearing": securities.names}
    assert catalogue("zh")["asset.gateway.securities"] == "证券登记结算"
    assert "securities" in {kind for kind, _ in simulators_of(Settings())}


def _file(folder: Path, text: str) -> Path:
    path = folder / "gateways.toml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def test_a_file_lists_the_gateways_with_what_was_agreed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 40 + "\n")
    path = _file(
        tmp_path,
        """
        [[gateway]]
        name = "first-bank"
        kind = "bank"
        zh = "第一银行"
        en = "First Bank"
        url = "http://127.0.0.1:8203/b/001"
        format = "xml"
        code = "B001"
        pace = { per_second = 5, burst = 10 }
        breaker = { failures = 3, rest_seconds = 60 }
        signing = { algorithm = "hmac-sha256", key_id = "court", file = "secret", answers_file = "secret" }

        [[gateway]]
        name = "land"
        kind = "registry"
        url = "http://127.0.0.1:8204"
        """,
    )
    first, land = read_file(path)
    assert first.signing is not None
    assert first.signing.file == tmp_path / "secret"
    settings = Settings(gateways_file=path, demonstration=True)
    assert [gateway.name for gateway in gateways_of(settings)] == ["first-bank", "land"]
    assert simulators_of(settings) == [("bank", 8203), ("registry", 8204)]
    assert catalogue("en")["asset.gateway.first-bank"] == "First Bank"
    assert catalogue("zh")["asset.gateway.land"] == "不动产登记"
    assert names_of([land])["land"]["en"] == "Registry"


def test_without_a_file_the_addresses_count_and_further_kinds_only_in_the_demonstration() -> None:
    plain = Settings(bank_url="http://bank.example:1", registry_url="http://land.example:2")
    assert [(one.name, one.url) for one in gateways_listed(plain)] == [
        ("bank", "http://bank.example:1"),
        ("registry", "http://land.example:2"),
    ]
    shown = Settings(demonstration=True, further_simulators_port=9000)
    assert [one.url for one in gateways_listed(shown)][2:] == ["http://127.0.0.1:9000"]
    assert simulators_of(plain) == [(gateways_listed(shown)[2].kind, 8205)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "gateway: Field required"),
        ("gateway = 3", "gateway: "),
        ("[[gateway", "is no TOML"),
        ('[[gateway]]\nname="A b"\nkind="bank"\nurl="http://x"', "gateway.0.name"),
        ('[[gateway]]\nname="a"\nkind="bank"\nurl="ftp://x"', "gateway.0.url"),
        ('[[gateway]]\nname="a"\nkind="bank"\nurl="http://x"\nsecret="north"', "gateway.0.secret"),
        (2 * '[[gateway]]\nname="a"\nkind="bank"\nurl="http://x"\n', "two gateways are called a"),
        ('[[gateway]]\nname="a"\nkind="moon"\nurl="http://x"', "there is no kind moon"),
        (
            '[[gateway]]\nname="a"\nkind="bank"\nurl="http://x"\n'
            'signing = { algorithm = "private-key", key_id = "k", file = "gateways.toml" }',
            "gateway a: ",
        ),
        (
            '[[gateway]]\nname="a"\nkind="bank"\nurl="https://x"\ntls = { authority = "nowhere.pem" }',
            "gateway a: FileNotFoundError",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(GatewaysMisconfigured) as refused:
        gateways_of(Settings(gateways_file=_file(tmp_path, text)))
    assert said in str(refused.value)
    assert "north" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GatewaysMisconfigured, match="can't be read"):
        read_file(tmp_path / "none.toml")


def test_two_modules_cannot_bring_the_same_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "again"

        def load(self) -> GatewayKind:
            return kinds_before["bank"]

    kinds_before = kinds()
    monkeypatch.setattr("assets.kinds.entry_points", lambda **_: [Entry()])
    with pytest.raises(GatewaysMisconfigured, match="two modules bring the kind bank"):
        kinds()


def test_two_hundred_gateways_are_opened_without_reading_the_machines_certificates_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[object] = []
    monkeypatch.setattr(
        "ssl.create_default_context", lambda **_: read.append(1) or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )
    _trusting.cache_clear()
    listed = [GatewaySettings(name=f"bank-{n:03d}", kind="bank", url=f"https://bank-{n}.example") for n in range(200)]
    opened = open_gateways(listed)
    _trusting.cache_clear()
    assert len({gateway.name for gateway in opened}) == 200
    assert len(read) == 1


async def test_how_gateways_answer_is_told_in_figures(tmp_path: Path) -> None:
    simulator = Simulator("bank", tmp_path / "bank.sqlite3", delay_seconds=0)
    await simulator.start()
    asked = GatewaysCollector()
    bank, registry = gateways_of(Settings(bank_url=simulator.url, registry_url="http://127.0.0.1:9"), asked.watch)
    await bank.query(query("C1"))
    simulator.behave("refuses")
    with pytest.raises(GatewayRefused):
        await bank.query(query("C2"))
    for number in range(5):
        with pytest.raises(GatewayUnreachable):
            await registry.query(query(f"R{number}"))
    told = {
        (sample.name.removeprefix("command_center_gateway_"), *sample.labels.values()): sample.value
        for metric in asked.collect()
        for sample in metric.samples
    }
    assert told == {
        ("requests_total", "bank", "answered"): 1,
        ("requests_total", "bank", "gateway-refused"): 1,
        ("requests_total", "registry", "gateway-unreachable"): 5,
        ("requests_total", "registry", "retried"): 10,
        ("rests", "bank"): 0,
        ("rests", "registry"): 1,
    }
    for gateway in (bank, registry):
        await gateway.close()
    await simulator.stop()
