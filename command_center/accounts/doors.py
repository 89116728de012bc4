"""Every way into the web process, and who may use it; a path that isn't here is 404 for everybody.

The first door whose pattern and method fit decides. `{name}` stands for one part of a path, `{name:path}` for any
rest. A door says who may come in at all; on which court's and whose things, each service checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from command_center.accounts.permissions import Permission as P  # noqa: N817 - the table reads better
from command_center.accounts.permissions import Role
from command_center.errors import CommandCenterError, NotFound


@dataclass(frozen=True, slots=True)
class Public:
    """Anybody: nothing of a case or a person is behind it."""


@dataclass(frozen=True, slots=True)
class MediaToken:
    """A bearer token for this very feed; `right` is `publish` or `view`."""

    right: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody signed in whose role carries at least one of these; an empty set asks for no more than that."""

    any_of: frozenset[P] = frozenset()


@dataclass(frozen=True, slots=True)
class Loopback:
    """A program on this machine, or somebody who runs the system."""


Access = Public | MediaToken | SignedIn | Loopback


def may(*permissions: P) -> SignedIn:
    """Somebody signed in who has one of these."""
    return SignedIn(frozenset(permissions))


@dataclass(frozen=True, slots=True)
class Door:
    """One way in. A page's visitor is led to sign-in, or to the own first page; a program gets a problem."""

    pattern: str
    access: Access
    methods: tuple[str, ...] = ("GET",)
    is_page: bool = False
    is_evidence: bool = False
    """Whoever is refused here is written into the audit."""
    expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = re.split(r"(\{[a-z_]+(?::path)?\})", self.pattern)
        pattern = "".join(
            (".*" if part.endswith(":path}") else "[^/]+") if part.startswith("{") else re.escape(part)
            for part in parts
        )
        object.__setattr__(self, "expression", re.compile(pattern))

    def fits(self, path: str) -> bool:
        """Whether this is the door of that path."""
        return self.expression.fullmatch(path) is not None


HOME: dict[Role, str] = {
    Role.OFFICER: "/field",
    Role.SYSTEM_ADMINISTRATOR: "/system",
    Role.SECURITY_ADMINISTRATOR: "/accounts",
    Role.AUDIT_ADMINISTRATOR: "/audit",
}
"""Where those go who open a page that isn't theirs; everybody else goes to the centre."""

ANYBODY = SignedIn()
CENTRE = may(P.SEE_OPERATIONS)
CUSTODY = may(P.HOLD_RECORDINGS, P.PROPOSE_DELETION, P.APPROVE_DELETION)
SANCTIONS = may(P.PROPOSE_SANCTION, P.DECIDE_SANCTION)
CASE_MONEY = may(P.HANDLE_CASE_MONEY, P.APPROVE_CASE_MONEY)
AUDIT = may(P.READ_AUDIT, P.READ_OPERATION_AUDIT)
CENTRE_OR_OFFICER = may(P.SEE_OPERATIONS, P.PUBLISH)
WHIP_METHODS = ("POST", "PATCH", "DELETE", "GET", "OPTIONS")

DOORS: tuple[Door, ...] = (
    # Pages
    Door("/sign-in", Public(), is_page=True),
    Door("/setup/{secret}", Public(), is_page=True),
    Door("/setup/{secret}", Public(), ("POST",)),
    Door("/", CENTRE, is_page=True),
    Door("/review", may(P.REVIEW), is_page=True),
    Door("/assets", may(P.SEE_ASSETS), is_page=True),
    Door("/assets/terms", may(P.SEE_ASSETS), is_page=True),
    Door("/assets/approvals", may(P.SEE_ASSETS), is_page=True),
    Door("/assets/sanctions", may(P.SEE_ASSETS), is_page=True),
    Door("/assets/cases", may(P.SEE_ASSETS), is_page=True),
    Door("/assets/accounts", may(P.SEE_ASSETS), is_page=True),
    Door("/assets/proposals", may(P.SEE_ASSETS), is_page=True),
    Door("/retention", CUSTODY, is_page=True),
    Door("/accounts", may(P.MANAGE_ACCOUNTS), is_page=True),
    Door("/audit", AUDIT, is_page=True),
    Door("/system", may(P.RUN_SYSTEM), is_page=True),
    Door("/map/{rest:path}", may(P.SEE_OPERATIONS, P.REVIEW)),
    # Files of the product: no data in them
    Door("/field", Public()),
    Door("/field/{rest:path}", Public()),
    Door("/static/{rest:path}", Public()),
    Door("/vendor/{rest:path}", Public()),
    Door("/favicon.ico", Public()),
    Door("/_favicon.ico", Public()),
    Door("/_dash-component-suites/{rest:path}", Public()),
    Door("/local-ca.crt", Public()),
    # Dash
    Door("/_dash-layout", ANYBODY),
    Door("/_dash-dependencies", ANYBODY),
    Door("/_dash-update-component", ANYBODY, ("POST",)),
    # Sign-in
    Door("/api/session", Public(), ("POST",)),
    Door("/api/session", ANYBODY, ("GET", "PATCH", "DELETE")),
    Door("/api/token", Public(), ("POST",)),
    Door("/api/media-tokens", may(P.PUBLISH, P.VIEW_FEEDS, P.TALK), ("POST",)),
    Door("/api/password", ANYBODY, ("POST",)),
    # Media, passed on to the node
    Door("/whip/{feed}", MediaToken("publish"), WHIP_METHODS),
    Door("/whip/{feed}/{session}", MediaToken("publish"), WHIP_METHODS),
    Door("/whep/{feed}", MediaToken("view"), WHIP_METHODS),
    Door("/whep/{feed}/{session}", MediaToken("view"), WHIP_METHODS),
    # Operations
    Door("/api/operations", CENTRE_OR_OFFICER),
    Door("/api/operations", may(P.SEND_INSTRUCTIONS), ("POST",)),
    Door("/api/operations/{id}", CENTRE_OR_OFFICER),
    Door("/api/operations/{id}/officers/{user}", may(P.SEND_INSTRUCTIONS), ("PUT", "DELETE")),
    Door("/api/operations/{id}/timeline", CENTRE),
    Door("/api/feeds", CENTRE_OR_OFFICER),
    Door("/api/feeds", may(P.PUBLISH), ("POST",)),
    Door("/api/feeds/{name}", may(P.REVOKE_DEVICES), ("DELETE",)),
    Door("/api/instructions", CENTRE),
    Door("/api/instructions", may(P.SEND_INSTRUCTIONS), ("POST",)),
    Door("/api/positions", CENTRE_OR_OFFICER),
    # Assets
    Door("/api/assets/cases", may(P.SEE_ASSETS)),
    Door("/api/assets/cases/{id}", may(P.SEE_ASSETS)),
    Door("/api/assets/cases/{id}/summary", may(P.SEE_ASSETS)),
    Door("/api/assets/cases/{id}/unmask", may(P.UNMASK_ASSETS), ("POST",)),
    Door("/api/assets/cases/{id}/workbook", may(P.SEE_ASSETS)),
    Door("/api/assets/search", may(P.SEE_ASSETS)),
    Door("/api/assets/search/cases", may(P.SEE_ASSETS)),
    Door("/api/assets/items/{id}/history", may(P.SEE_ASSETS)),
    Door("/api/assets/terms", may(P.SEE_ASSETS)),
    Door("/api/assets/terms/counts", may(P.SEE_ASSETS)),
    Door("/api/assets/terms/workbook", may(P.SEE_ASSETS)),
    Door("/api/assets/terms/alarms/{id}/acknowledge", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/requests", may(P.SEE_ASSETS)),
    Door("/api/assets/requests/{id}", may(P.SEE_ASSETS)),
    Door("/api/assets/requests/{id}/retry", may(P.QUERY_ASSETS, P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/requests/{id}/approve", may(P.APPROVE_ASSETS), ("POST",)),
    Door("/api/assets/requests/{id}/decline", may(P.APPROVE_ASSETS), ("POST",)),
    Door("/api/assets/requests/{id}/withdraw", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/requests/{id}/check", may(P.QUERY_ASSETS, P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/requests/{id}/papers", may(P.SEE_ASSETS)),
    Door("/api/assets/requests/{id}/papers/text", may(P.CONTROL_ASSETS, P.APPROVE_ASSETS)),
    Door("/api/assets/approvals", may(P.SEE_ASSETS)),
    Door("/api/assets/batches", may(P.SEE_ASSETS)),
    Door("/api/assets/batches/{key}", may(P.SEE_ASSETS)),
    Door("/api/assets/objections", may(P.SEE_ASSETS)),
    Door("/api/assets/objections/{id}/maintain", may(P.QUERY_ASSETS, P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/objections/{id}/yield", may(P.QUERY_ASSETS, P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/overdue", may(P.SEE_ASSETS)),
    Door("/api/assets/seals", may(P.SEE_ASSETS)),
    Door("/api/assets/queries", may(P.QUERY_ASSETS), ("POST",)),
    Door("/api/assets/freezes", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/seizures", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/freeze-transfers", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/income-withdrawals", may(P.CONTROL_ASSETS), ("POST",)),
    # Cases
    Door("/api/assets/cases", may(P.MANAGE_CASES), ("POST",)),
    Door("/api/assets/cases/{id}/file", may(P.SEE_ASSETS)),
    Door("/api/assets/cases/{id}/persons", may(P.MANAGE_CASES), ("POST",)),
    Door("/api/assets/cases/{id}/claims", may(P.MANAGE_CASES), ("POST",)),
    Door("/api/assets/persons/{id}", may(P.MANAGE_CASES), ("PATCH",)),
    Door("/api/assets/claims/{id}", may(P.MANAGE_CASES), ("PATCH",)),
    Door("/api/assets/format-checks", may(P.SEE_ASSETS), ("POST",)),
    Door("/api/assets/pre-registrations", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/impoundments", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/renewals", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/part-releases", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/releases", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/transfers", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/items/{id}/controls", may(P.SEE_ASSETS)),
    Door("/api/assets/items/{id}/preview", may(P.SEE_ASSETS)),
    Door("/api/assets/items/{id}/marks", may(P.CONTROL_ASSETS), ("PUT",)),
    Door("/api/assets/items/{id}/liftings", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/cases/{id}/cover", may(P.SEE_ASSETS)),
    Door("/api/assets/measures/{id}/registration", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/measures/{id}/keeping", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/measures/{id}/resolution", may(P.CONTROL_ASSETS), ("POST",)),
    # Sanctions
    Door("/api/assets/sanction-checks", may(P.SEE_ASSETS)),
    Door("/api/assets/sanctions", may(P.SEE_ASSETS)),
    Door("/api/assets/sanctions", may(P.PROPOSE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}", may(P.SEE_ASSETS)),
    Door("/api/assets/sanctions/{id}/review", may(P.DECIDE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/decide", may(P.DECIDE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/refuse", may(P.DECIDE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/withdraw", may(P.PROPOSE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/serve", may(P.PROPOSE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/publish", may(P.PROPOSE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/shield", SANCTIONS, ("POST",)),
    Door("/api/assets/sanctions/{id}/unshield", SANCTIONS, ("POST",)),
    Door("/api/assets/sanctions/{id}/correct", SANCTIONS, ("POST",)),
    Door("/api/assets/sanctions/{id}/deletion-ground", may(P.PROPOSE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/deletion-ground/drop", may(P.DECIDE_SANCTION), ("POST",)),
    Door("/api/assets/sanctions/{id}/delete", SANCTIONS, ("POST",)),
    # Assets on site
    Door("/api/assets/mine", may(P.PROPOSE_ASSETS)),
    Door("/api/assets/mine/queries", may(P.PROPOSE_ASSETS), ("POST",)),
    Door("/api/assets/mine/proposals", may(P.PROPOSE_ASSETS), ("POST",)),
    Door("/api/assets/mine/proposals/{id}/withdraw", may(P.PROPOSE_ASSETS), ("POST",)),
    Door("/api/assets/proposals", may(P.SEE_ASSETS)),
    Door("/api/assets/proposals/{id}/decline", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/proposals/{id}/take-up", may(P.CONTROL_ASSETS), ("POST",)),
    Door("/api/assets/proposals/{id}/asset", may(P.CONTROL_ASSETS), ("POST",)),
    # The money of cases
    Door("/api/assets/accounts", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/mains", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/mains", may(P.APPROVE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/mains/{court}/refresh", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/unclaimed", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/reconciliation", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/reconciliation.xlsx", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/arrivals/{id}/claim", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/arrivals/{id}/unmatch", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/arrivals/{id}/return", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/discrepancies", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/discrepancies/{id}/close", may(P.APPROVE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/arrivals/{id}/fee-refund", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/cases/{id}", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/cases/{id}/postings", may(P.SEE_ASSETS)),
    Door("/api/assets/accounts/cases/{id}/preview", CASE_MONEY, ("POST",)),
    Door("/api/assets/accounts/cases/{id}/payees", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/cases/{id}/distributions", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/cases/{id}/deferrals", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/proposals/{id}/approve", may(P.APPROVE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/proposals/{id}/reject", may(P.APPROVE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/proposals/{id}/withdraw", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/proposals/{id}/end", CASE_MONEY, ("POST",)),
    Door("/api/assets/accounts/holds/{id}/release", may(P.HANDLE_CASE_MONEY), ("POST",)),
    Door("/api/assets/accounts/payments/{id}/ask", CASE_MONEY, ("POST",)),
    Door("/api/assets/accounts/payments/{id}/settlement", may(P.HANDLE_CASE_MONEY), ("POST",)),
    # Recordings
    Door("/api/recordings", may(P.REVIEW), is_evidence=True),
    Door("/api/recordings/{id}", may(P.REVIEW), is_evidence=True),
    Door("/api/recordings/{id}/index", may(P.REVIEW), is_evidence=True),
    Door("/api/recordings/{id}/segments/{number}", may(P.REVIEW), is_evidence=True),
    # Review
    Door("/api/operations/{id}/tracks", may(P.REVIEW), is_evidence=True),
    Door("/api/operations/{id}/journal", may(P.REVIEW), is_evidence=True),
    Door("/api/keys", ANYBODY),
    Door("/api/operations/{id}/notes", may(P.REVIEW), ("GET", "POST"), is_evidence=True),
    Door("/api/notes/{id}", may(P.REVIEW), ("PATCH", "DELETE"), is_evidence=True),
    # Custody
    Door("/api/reviews", may(P.REVIEW), ("POST",), is_evidence=True),
    Door("/api/reviews/{id}/seeks", may(P.REVIEW), ("POST",), is_evidence=True),
    Door("/api/reviews/{id}/verdicts", may(P.REVIEW), ("POST",), is_evidence=True),
    Door("/api/retention", CUSTODY),
    Door("/api/retention/classes", may(P.HOLD_RECORDINGS), ("POST",), is_evidence=True),
    Door("/api/retention/holds", may(P.HOLD_RECORDINGS), ("POST",), is_evidence=True),
    Door("/api/retention/holds/{id}/lift", may(P.HOLD_RECORDINGS), ("POST",), is_evidence=True),
    Door("/api/deletions", CUSTODY),
    Door("/api/deletions", may(P.PROPOSE_DELETION), ("POST",), is_evidence=True),
    Door("/api/deletions/{id}/custody", CUSTODY, is_evidence=True),
    Door("/api/deletions/{id}/approve", may(P.APPROVE_DELETION), ("POST",), is_evidence=True),
    Door("/api/deletions/{id}/refuse", may(P.APPROVE_DELETION), ("POST",), is_evidence=True),
    Door("/api/deletions/{id}/withdraw", may(P.PROPOSE_DELETION, P.APPROVE_DELETION), ("POST",), is_evidence=True),
    # Packages for those outside; who may not make any is refused by the service, and that is audited
    Door("/api/exports", may(P.REVIEW), ("GET", "POST"), is_evidence=True),
    Door("/api/exports/{id}", may(P.REVIEW), ("GET", "DELETE"), is_evidence=True),
    Door("/api/exports/{id}/package", may(P.REVIEW), is_evidence=True),
    # Administration
    Door("/api/accounts", may(P.MANAGE_ACCOUNTS), ("GET", "POST")),
    Door("/api/accounts/{user_id}/disable", may(P.MANAGE_ACCOUNTS), ("POST",)),
    Door("/api/accounts/{user_id}/end-sessions", may(P.MANAGE_ACCOUNTS), ("POST",)),
    Door("/api/courts", may(P.MANAGE_ACCOUNTS)),
    Door("/api/audit", AUDIT),
    Door("/api/audit/verdict", may(P.READ_AUDIT)),
    Door("/api/docs", ANYBODY),
    Door("/api/openapi.json", ANYBODY),
    Door("/healthz", Public()),
    Door("/metrics", Loopback()),
)

SOCKETS: tuple[Door, ...] = (
    Door("/api/live", CENTRE),
    Door("/api/officer", may(P.PUBLISH)),
)


class MethodRefused(CommandCenterError):
    """There is such a thing, but this can't be done to it."""

    status = 405


def find_door(path: str, method: str | None, doors: tuple[Door, ...] = DOORS) -> Door:
    """The door of a request; `method` is None for a socket.

    Raises:
        NotFound: nothing is there.
        MethodRefused: something is, but not for this method.
    """
    fitting = [door for door in doors if door.fits(path)]
    if not fitting:
        raise NotFound("no-such-path")
    wanted = "GET" if method == "HEAD" else method
    for door in fitting:
        if wanted is None or wanted in door.methods:
            return door
    raise MethodRefused("method-not-allowed", method=str(method)[:16])
