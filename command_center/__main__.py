"""The `command-center` command."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from command_center import demonstration, launcher, logs, schema, worker
from command_center.accounts.media_tokens import MediaTokens
from command_center.accounts.passwords import generate_password
from command_center.accounts.permissions import Role, roles_in
from command_center.accounts.revocations import Revocations
from command_center.accounts.service import Accounts, MadeUser, NewUser
from command_center.accounts.setup import SetupLinks
from command_center.audit import Audit
from command_center.certificates import server_certificate
from command_center.config import Settings
from command_center.database import Database
from command_center.errors import CommandCenterError
from command_center.evidence import verifier
from command_center.evidence.custody import Purpose
from command_center.evidence.keyring import COURT, Keyring, KeysRefused, read_public_key
from command_center.evidence.keyring import LEDGER_FILE as KEYS_FILE
from command_center.evidence.rebuild import Rebuilt, rebuild
from command_center.evidence.store import StoreAway
from command_center.evidence.store_local import LocalStore
from command_center.evidence.store_tiered import PROOF_FOLDER, remote_of, restore, store_of
from command_center.evidence.verification import verify_installation
from command_center.journal import Journal
from command_center.listeners import CouldNotListen, Listener, Listeners
from command_center.outbox import Outbox
from command_center.schema import SchemaRefused
from streams.hub.hub import Hub
from streams.signalling.tokens import LONGEST_LIFE_SECONDS, load_private_key, make_keys

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
user = typer.Typer(no_args_is_help=True, help="People's accounts.")
app.add_typer(user, name="user")
index = typer.Typer(no_args_is_help=True, help="The index of recordings.")
app.add_typer(index, name="index")
keys = typer.Typer(no_args_is_help=True, help="The keys that sign evidence.")
app.add_typer(keys, name="keys")


@app.command()
def web() -> None:
    """Serve the screens and the API."""
    settings = _settings()
    logs.configure(settings.log_level)
    _prepare(settings)
    certificate, key = settings.https_certificate, settings.https_key
    if certificate is None or key is None:
        certificate, key = server_certificate(settings.keys)
    asyncio.run(_serve(settings, Listener(settings.https_host, settings.https_port, certificate, key)))


def _settings() -> Settings:
    """The settings, or a sentence for each that makes no sense; never their values, some are secrets."""
    try:
        return Settings()
    except ValidationError as error:
        for each in error.errors():
            typer.echo(f"COMMAND_CENTER_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}", err=True)
        raise typer.Exit(launcher.SETTINGS_UNUSABLE) from None


def _prepare(settings: Settings) -> int:
    """Have the records' schema up to date and the keys that sign evidence made, or say in a sentence why not.

    Where the ledger of keys is lost, every lost ledger is fetched from the storage first; gives how many came.
    """
    try:
        asyncio.run(schema.prepare(settings))
        fetched = 0 if (settings.proof / KEYS_FILE).exists() else asyncio.run(_fetch_ledgers(settings))
        Keyring(settings.data, settings.keys).ensure(local.node for local in settings.local_nodes)
    except (SchemaRefused, KeysRefused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except StoreAway as error:
        typer.echo(
            f"There is no ledger of keys here, and the storage can't be asked for it ({error.code}); nothing was made.",
            err=True,
        )
        raise typer.Exit(1) from error
    return fetched


async def _fetch_ledgers(settings: Settings) -> int:
    proof = remote_of(settings, PROOF_FOLDER)
    if proof is None:
        return 0
    try:
        return await restore(LocalStore(settings.proof), proof)
    finally:
        await proof.close()


async def _serve(settings: Settings, https: Listener) -> None:
    from command_center.main import Web  # Dash takes seconds to import, and no other command needs it

    try:
        served = Listeners(Web(settings).app, [Listener(settings.http_host, settings.http_port), https])
    except CouldNotListen as error:
        typer.echo(f"Can't listen on {error.strerror}", err=True)
        raise typer.Exit(1) from error
    await served.serve(handles_signals=True)


@app.command("worker")
def run_worker() -> None:
    """Do what nobody waits for: keep positions, index recordings, escalate, chase."""
    settings = _settings()
    logs.configure(settings.log_level)
    _prepare(settings)
    asyncio.run(worker.run(settings))


@app.command()
def migrate() -> None:
    """Bring the records' schema up to date."""
    _prepare(_settings())


@app.command()
def run() -> None:
    """Start everything on this machine, with the demonstration."""
    raise typer.Exit(launcher.run(_settings(), demonstration=True))


@app.command()
def serve() -> None:
    """Start everything on this machine, for real work."""
    raise typer.Exit(launcher.run(_settings(), demonstration=False))


@app.command("seed-demonstration")
def seed_demonstration() -> None:
    """Fill the records with the demonstration: courts, accounts, operations and cases that are made up."""
    settings = _settings()
    _prepare(settings)
    asyncio.run(_seed(settings))


async def _seed(settings: Settings) -> None:
    database = Database(settings.records_url)
    try:
        await demonstration.seed(database, settings)
    finally:
        await database.close()


@app.command("setup-link")
def setup_link() -> None:
    """Print the one-time address that makes the first administrator; nothing once there is an account."""
    settings = _settings()
    _prepare(settings)
    path = asyncio.run(_setup_link(settings))
    if path is not None:
        typer.echo(f"http://{settings.http_host}:{settings.http_port}{path}")


async def _setup_link(settings: Settings) -> str | None:
    database = Database(settings.records_url)
    try:
        return await SetupLinks(
            database, court_name_zh=settings.court_name_zh, court_name_en=settings.court_name_en
        ).make()
    finally:
        await database.close()


@app.command()
def token(
    feed: Annotated[str, typer.Argument(help="The feed's name; `*` at its end stands for any ending.")],
    publish: Annotated[bool, typer.Option("--publish", help="May publish by WHIP.")] = False,
    view: Annotated[bool, typer.Option("--view", help="May view by WHEP.")] = False,
    minutes: Annotated[int, typer.Option(min=1, max=LONGEST_LIFE_SECONDS // 60)] = 10,
) -> None:
    """Print a bearer token for a device that speaks plain WHIP or WHEP."""
    if not publish and not view:
        raise typer.BadParameter("say --publish, --view or both")
    settings = _settings()
    _prepare(settings)
    typer.echo(asyncio.run(_token(settings, feed, publish=publish, view=view, minutes=minutes)))


async def _token(settings: Settings, feed: str, *, publish: bool, view: bool, minutes: int) -> str:
    make_keys(settings.keys)
    database = Database(settings.records_url)
    tokens = MediaTokens(database, Audit(), load_private_key(settings.keys), minutes=settings.media_token_minutes)
    try:
        issued = await tokens.issue(
            None, feed, operation_id=None, court_id=None, may_publish=publish, may_view=view, minutes=minutes
        )
    finally:
        await database.close()
    return issued.access_token


@app.command()
def verify(
    path: Annotated[
        Path | None,
        typer.Argument(help="A package, a data folder, a folder of recordings or a manifest; else this installation."),
    ] = None,
    trust: Annotated[
        list[str] | None, typer.Option(help="The id of the court's first key, as it was published.")
    ] = None,
    anchor: Annotated[str | None, typer.Option(help="An anchor that was kept elsewhere: SEQUENCE:HASH.")] = None,
    authority: Annotated[Path | None, typer.Option(help="PEM file of the time-stamp authorities' roots.")] = None,
    language: Annotated[Literal["zh", "en"], typer.Option()] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="A report for machines.")] = False,
    sm3: Annotated[bool, typer.Option("--sm3", help="Check the SM3 hashes too.")] = False,
    purpose: Annotated[Purpose | None, typer.Option(help="What for; the audit of this installation tells it.")] = None,
) -> None:
    """Verify recordings and what proves them; this installation's audit and database, too, where no path is given.

    Exit codes: 0 whole, 1 broken or missing, 2 not wholly proven, 3 nothing that could be verified, 4 whole in itself
    but not compared with the court's published key (--trust). Without a path the installation trusts its own key ring.
    """
    settings = _settings()
    chosen = ["--language", language, *(["--json"] if as_json else []), *(["--sm3"] if sm3 else [])]
    chosen += [part for key in trust or () for part in ("--trust", key)]
    chosen += ["--anchor", anchor] if anchor else []
    chosen += ["--authority", str(authority)] if authority else []
    if path is not None:
        raise typer.Exit(verifier.main([str(path), *chosen]))
    _prepare(settings)
    raise typer.Exit(verifier.main(chosen, partial(_verify, settings, purpose, not as_json)))


def _verify(
    settings: Settings, purpose: Purpose | None, is_for_people: bool, options: verifier.Options
) -> verifier.Report:
    try:
        report, verdict = asyncio.run(verify_installation(settings, options, purpose))
    except StoreAway as away:
        raise verifier.Unusable("no-such-path", path=settings.s3_url) from away
    if verdict.unreadable_anchors:
        typer.echo(f"{verdict.unreadable_anchors} lines of the anchors can't be read and were passed over.", err=True)
    if verdict.broken_at is not None:
        typer.echo(f"The audit is broken at entry {verdict.broken_at}: {verdict.reason}.", err=True)
    elif is_for_people:
        typer.echo(f"The audit is whole: {verdict.entries} entries, {verdict.anchors} anchors agree.")
    return report


@index.command("rebuild")
def index_rebuild() -> None:
    """Make the index of recordings anew from the manifests in the store; everything else may go on meanwhile.

    Manifests and ledgers that only the storage behind the folder has are fetched first.
    """
    settings = _settings()
    fetched = _prepare(settings)
    try:
        fetched += asyncio.run(_fetch_ledgers(settings))
        rebuilt = asyncio.run(_rebuild(settings))
    except StoreAway as error:
        typer.echo(f"The store can't be asked ({error.code}); the index is as it was.", err=True)
        raise typer.Exit(1) from error
    if fetched:
        typer.echo(f"{fetched} ledgers fetched from the storage.")
    typer.echo(f"{rebuilt.manifests - rebuilt.unread} recordings read from the store.")
    if rebuilt.gone:
        typer.echo(f"{rebuilt.gone} that the store has no manifest of were taken out of the index.")
    if rebuilt.unread:
        typer.echo(f"{rebuilt.unread} manifests couldn't be read; what the index has of them is as it was.", err=True)
        raise typer.Exit(1)


async def _rebuild(settings: Settings) -> Rebuilt:
    database = Database(settings.records_url)
    store = store_of(settings, database)
    try:
        return await rebuild(database, store, Journal())
    finally:
        await store.close()
        await database.close()


@keys.command("list")
def keys_list() -> None:
    """Print every key that was ever registered: its id, whose it is, since and until when, its public half."""
    for record in _keyring().listed():
        retired = "in force" if record.retired_at is None else f"until {_instant(record.retired_at)}"
        typer.echo(f"{record.id}  {record.owner:<20} since {_instant(record.at)}, {retired}  {record.public}")


@keys.command("rotate")
def keys_rotate(owner: Annotated[str, typer.Argument(help="`court`, or `node:` and a media node's name.")]) -> None:
    """Put a new key in the place of the court's or of a media node's on this machine."""
    with _refusals():
        typer.echo(_keyring().rotate(owner))
    if owner != COURT:
        typer.echo("Start the media node anew; then retire its old key by `command-center keys retire`.", err=True)


@keys.command("add")
def keys_add(
    node: Annotated[str, typer.Argument(help="The media node's name, as its --node-id says.")],
    public_key: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Its public key, in PEM or in hex.")],
) -> None:
    """Register the public key of a media node on another machine, made there by `python -m streams`."""
    with _refusals():
        typer.echo(_keyring().add(node, read_public_key(public_key)))


@keys.command("retire")
def keys_retire(key: Annotated[str, typer.Argument(help="The key's id.")]) -> None:
    """Write down that a media node's key signs nothing from now on: it was changed, or is lost."""
    with _refusals():
        _keyring().retire(key)


def _keyring() -> Keyring:
    settings = _settings()
    _prepare(settings)
    return Keyring(settings.data, settings.keys)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except KeysRefused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


@user.command("add")
def user_add(
    username: str,
    role: Annotated[Role, typer.Option()],
    court: Annotated[str, typer.Option(help="The court's code, as in case numbers.")],
    display_name: Annotated[str, typer.Option()] = "",
    generate: Annotated[bool, typer.Option("--generate", help="Make a password instead of asking for one.")] = False,
) -> None:
    """Make an account."""
    password = generate_password() if generate else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    new = NewUser(username, password, role, court, display_name)
    settings = _settings()
    _prepare(settings)
    try:
        made = asyncio.run(_add(settings, new))
    except CommandCenterError as error:
        typer.echo(f"No account was made: {error}", err=True)
        raise typer.Exit(1) from error
    if generate:
        typer.echo(password)
    if made.totp_uri:
        typer.echo(made.totp_uri)


async def _add(settings: Settings, new: NewUser) -> MadeUser:
    database, hub = Database(settings.records_url), Hub(settings.hub_url)
    revocations = Revocations(Outbox(database, hub), hub)
    accounts = Accounts(database, Audit(), revocations, second_factor_roles=roles_in(settings.second_factor_roles))
    try:
        return await accounts.create_user(None, new)
    finally:
        await hub.close()
        await database.close()


if __name__ == "__main__":
    app()
