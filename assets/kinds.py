"""The kinds of gateways that there are: each is one module of this package that says `KIND: GatewayKind = …`.

Nothing else names a kind: who opens gateways, starts simulators or writes words asks here. A kind that is installed
beside the product is found by an entry point of the group `enforcement_command_center.gateways`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import assets
from assets.documents import Action
from assets.gateway import Gateway
from assets.gateway_settings import GatewaySettings, GatewaysMisconfigured, poster_of
from assets.posting import Poster
from assets.terms import AssetKind

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assets.simulators.conduct import Conduct

ENTRY_POINTS = "enforcement_command_center.gateways"
_DECLARATION = "\nKIND: GatewayKind = "

Words = Mapping[str, str]
"""The same in each language: `zh`, `en`."""


@dataclass(frozen=True, slots=True)
class GatewayKind:
    """One kind of gateway, with everything that the rest of the product has to know of it."""

    name: str
    """By which settings name it."""
    names: Words
    """What screens call it."""
    asset: AssetKind
    actions: frozenset[Action]
    open: Callable[[GatewaySettings, Poster], Gateway]
    simulator: str
    """`module:function` of its simulator, which takes a `Conduct` and gives a web application."""
    words: Mapping[str, Words] = field(default_factory=dict)
    """What the fields of its assets' `details` are called."""


def kinds() -> dict[str, GatewayKind]:
    """All kinds by their names, in the order of their modules'."""
    found: dict[str, GatewayKind] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(assets.__path__)):
        if _declares_a_kind(f"assets.{name}"):
            _add(found, importlib.import_module(f"assets.{name}").KIND)
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        _add(found, entry.load())
    return found


def open_gateways(
    settings: Sequence[GatewaySettings], watch: Callable[[Poster], None] = lambda _: None
) -> list[Gateway]:
    """The gateways of an installation; give their connections back with `close`. `watch` is told of each connection.

    Raises:
        GatewaysMisconfigured: there is no such kind, or a certificate or key can't be used.
    """
    known = kinds()
    for one in settings:
        if one.kind not in known:
            raise GatewaysMisconfigured(f"gateway {one.name}: there is no kind {one.kind} (but {', '.join(known)})")
    posters = [poster_of(one) for one in settings]
    for poster in posters:
        watch(poster)
    return [known[one.kind].open(one, poster) for one, poster in zip(settings, posters, strict=True)]


def names_of(settings: Sequence[GatewaySettings]) -> dict[str, Words]:
    """What screens call each gateway."""
    known = kinds()
    return {
        one.name: {"zh": one.zh or known[one.kind].names["zh"], "en": one.en or known[one.kind].names["en"]}
        for one in settings
    }


def simulator_of(kind: GatewayKind) -> Callable[[Conduct], FastAPI]:
    """The simulator of a kind, imported only now."""
    module, function = kind.simulator.split(":")
    app: Callable[[Conduct], FastAPI] = getattr(importlib.import_module(module), function)
    return app


def _declares_a_kind(name: str) -> bool:
    # Read before it is imported: a simulator needn't load the whole package to know what it may be.
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return False
    return _DECLARATION in Path(spec.origin).read_text(encoding="utf-8")


def _add(found: dict[str, GatewayKind], kind: GatewayKind) -> None:
    if kind.name in found:
        raise GatewaysMisconfigured(f"two modules bring the kind {kind.name}")
    found[kind.name] = kind
