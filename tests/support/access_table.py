"""Every way into the web process, with who may use it and who may not: what isn't here fails the access tests.

`{…}` in addresses and bodies stand for ids of `AccessWorld`. Where a list has no id in its address, who isn't to have
it gets an empty one, or their own: what they may not read is in `secrets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Way:
    """One route with one method: who may and who may not, and the status that each gets.

    `right` is somebody of the city's court who may, and gets `status`; `wrong` is one whose role may not, None where
    every role may. `other_court` is what the same role gets in the district's court, `other_operation` what an
    officer of the city's court gets who is in another operation; None where there is nothing to be kept from them.
    """

    method: str
    path: str
    right: str
    wrong: str | None
    status: int
    other_court: int | None = None
    other_operation: int | None = None
    query: str = ""
    body: Any = None
    secrets: tuple[str, ...] = ()
    is_page: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def address(self) -> str:
        """Where to ask."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def neighbour(self) -> str:
        """Who is in the district's court what `right` is in the city's."""
        return f"saihan-{self.right.rstrip('0123456789')}"


STARTS = "2026-11-22T08:00:00+08:00"
SITE = {
    "name_zh": "某处",
    "name_en": "Somewhere",
    "district_zh": "新城区",
    "district_en": "Xincheng",
    "latitude": 40.85,
    "longitude": 111.66,
}
OPERATION = {
    "name_zh": "行动",
    "name_en": "Operation",
    "case_number": "（2026）内01执7号",
    "starts_at": STARTS,
    "sites": [SITE],
}
CITY_OPERATION = {**OPERATION, "court_id": "{city_court}"}
FEED = {"operation_id": "{city_operation}", "site_id": "{city_site}", "device": "second-phone"}
INSTRUCTION = {
    "operation_id": "{city_operation}",
    "scope": "all",
    "priority": "routine",
    "text": "go on",
    "idempotency_key": "{new}",
}
QUERY = {"case_id": "{city_case}", "person_id": "{city_person}", "gateways": ["bank"], "idempotency_key": "{new}"}
FREEZE = {
    "asset_id": "{city_asset}",
    "amount_cents": 100,
    "ruling_number": "（2026）内01执1023号之一",
    "idempotency_key": "{new}",
}
ORDER = {"ruling_number": "（2026）内01执1023号之一", "idempotency_key": "{new}"}
FIRST = {**ORDER, "asset_id": "{city_asset}"}
HASTY = {**FIRST, "amount_cents": 1, "emergency": "no second person is asked"}
CHANGE = {**ORDER, "measure_id": "{ended_measure}"}
LIMIT = {
    "case_id": "{city_case}",
    "person_id": "{city_person}",
    "kind": "limit",
    "facts": "refuses",
    "basis_document": "（2025）内01民终9号",
    "duty": "to pay",
    "performance": "none",
    "idempotency_key": "{new}",
}
CASE = {
    "number": "（2026）内01执99号",
    "filed_on": "2026-11-02",
    "judge_name": "a judge",
    "work_card": "1",
    "duty_card": "2",
    "persons": [{"name": "a debtor", "is_firm": False, "id_number": "11010519491231002X", "role": "under_enforcement"}],
    "idempotency_key": "{new}",
}
OUTSIDER = {
    "person": {"name": "somebody", "is_firm": False, "id_number": "11010519491231002X", "role": "outsider"},
    "idempotency_key": "{new}",
}
CLAIM = {"creditor_id": "{city_person}", "amount_cents": 1, "principal_cents": 1, "idempotency_key": "{new}"}
PRESS = {"idempotency_key": "{new}"}
REASON = {"reason": "over", "idempotency_key": "{new}"}
ACCOUNT = {"username": "made-by-test", "password": "a good long password", "role": "officer", "court": "内01"}
VIEW = {"feed": "{feed}", "right": "view"}

EXPORT = {
    "operation_id": "{city_operation}",
    "since": STARTS,
    "until": "2026-11-22T08:10:00+08:00",
    "feeds": ["{feed}"],
    "purpose": "evidence",
    "idempotency_key": "{new}",
}

PAYEE = PRESS | {"person_id": "{city_person}", "account_number": "6217000060000000008", "bank_name": "某银行（虚构）"}
MAIN_ACCOUNT = PRESS | {
    "court_id": "{city_court}",
    "number": "0610013200002222",
    "bank_name": "某银行（虚构）",
    "fee_holder": "诉讼费专户（虚构）",
    "fee_number": "0610013200003333",
}
DASH_PAGE = {
    "output": ".._pages_content.children..._pages_store.data..",
    "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
    "inputs": [
        {"id": "_pages_location", "property": "pathname", "value": "/"},
        {"id": "_pages_location", "property": "search", "value": ""},
    ],
    "changedPropIds": [],
}
FOUND = {
    "operation_id": "{city_operation}",
    "kind": "movable",
    "description": "a lathe",
    "action": "impound",
    "idempotency_key": "{new}",
}

# fmt: off
WAYS: tuple[Way, ...] = (
    # Sessions
    Way("GET", "/api/session", "officer1", None, 200),
    Way("PATCH", "/api/session", "officer1", None, 200, body={"language": "zh"}),
    Way("POST", "/api/password", "approver", None, 401, body={"old": "x", "new": "y"}),
    # Pages
    Way("GET", "/", "commander", "officer1", 200, is_page=True),
    Way("GET", "/review", "commander", "approver", 200, is_page=True),
    Way("GET", "/accounts", "security", "commander", 200, is_page=True),
    Way("GET", "/audit", "audit", "commander", 200, is_page=True),
    Way("GET", "/system", "system", "commander", 200, is_page=True),
    Way("GET", "/assets", "judge", "officer1", 200, is_page=True),
    Way("GET", "/assets/approvals", "approver", "officer1", 200, is_page=True),
    Way("GET", "/assets/sanctions", "approver", "officer1", 200, is_page=True),
    Way("GET", "/assets/cases", "supervisor", "officer1", 200, is_page=True),
    Way("GET", "/assets/terms", "judge", "officer1", 200, is_page=True),
    Way("GET", "/assets/accounts", "supervisor", "officer1", 200, is_page=True),
    Way("GET", "/assets/proposals", "judge", "officer1", 200, is_page=True),
    Way("GET", "/retention", "supervisor", "commander", 200, is_page=True),
    Way("GET", "/map/{map}", "commander", "officer1", 200),
    Way("GET", "/_dash-layout", "commander", None, 200),
    Way("GET", "/_dash-dependencies", "commander", None, 200),
    Way("POST", "/_dash-update-component", "commander", "officer1", 200, body=DASH_PAGE),
    # Operations
    Way("GET", "/api/operations", "commander", "security", 200, 200, 200, secrets=("city_operation", "city_site")),
    Way("GET", "/api/operations/{city_operation}", "commander", "audit", 200, 404, 404),
    Way("POST", "/api/operations", "commander", "judge", 201, 422, body=CITY_OPERATION),
    Way("PUT", "/api/operations/{city_operation}/officers/{spare}", "commander", "officer1", 204, 404, body={}),
    Way("DELETE", "/api/operations/{city_operation}/officers/{spare}", "commander", "supervisor", 204, 404),
    # Feeds
    Way("GET", "/api/feeds", "commander", "system", 200, 200, 200, secrets=("feed", "lost_feed")),
    Way("POST", "/api/feeds", "officer1", "commander", 200, 404, 404, body=FEED),
    Way("DELETE", "/api/feeds/{lost_feed}", "commander", "officer1", 204, 404),
    Way("POST", "/api/media-tokens", "commander", "security", 200, 404, 403, body=VIEW),
    Way("POST", "/api/media-tokens", "officer1", "commander", 200, 404, 404,
        body={"feed": "{feed}", "right": "publish"}),
    Way("POST", "/api/media-tokens", "officer1", "commander", 200, 404, 404,
        body={"feed": "{feed}", "right": "listen"}),
    Way("POST", "/api/media-tokens", "commander", "supervisor", 200, 404, 403,
        body={"operation_id": "{city_operation}", "right": "talk"}),
    # Instructions and positions
    Way("GET", "/api/instructions", "commander", "officer1", 200, 404, query="operation_id={city_operation}"),
    Way("POST", "/api/instructions", "commander", "judge", 201, 404, body=INSTRUCTION),
    Way("GET", "/api/positions", "commander", "audit", 200, 404, 404, query="feed={feed}"),
    Way("GET", "/api/operations/{city_operation}/timeline", "commander", "officer1", 200, 404),
    # Assets on site
    Way("GET", "/api/assets/mine", "officer1", "judge", 200, 200, 200,
        secrets=("city_case", "city_number", "city_person", "city_asset", "proposal")),
    Way("POST", "/api/assets/mine/queries", "officer1", "supervisor", 202, 404, 404,
        body={"case_id": "{city_case}", "person_id": "{city_other_person}", "idempotency_key": "{new}"}),
    Way("POST", "/api/assets/mine/proposals", "officer1", "commander", 201, 404, 404, body=FOUND),
    Way("POST", "/api/assets/mine/proposals/{withdrawn_proposal}/withdraw", "officer1", "judge", 200, 404, 404),
    Way("GET", "/api/assets/proposals", "approver", "officer1", 200, 200,
        secrets=("proposal", "city_case", "city_number")),
    Way("POST", "/api/assets/proposals/{declined_proposal}/decline", "judge", "approver", 200, 404,
        body={"reason": "not his"}),
    Way("POST", "/api/assets/proposals/{taken_up_proposal}/take-up", "judge", "supervisor", 200, 404,
        body={"request_id": "{order}"}),
    Way("POST", "/api/assets/proposals/{recorded_proposal}/asset", "commander", "officer1", 200, 404,
        body={"person_id": "{city_person}"}),
    # The money of cases
    Way("GET", "/api/assets/accounts", "commander", "officer1", 200, 200, secrets=("city_case", "city_number")),
    Way("GET", "/api/assets/accounts/mains", "supervisor", "system", 200, 200, secrets=("city_court",)),
    Way("POST", "/api/assets/accounts/mains", "approver", "judge", 409, 404, body=MAIN_ACCOUNT),
    Way("POST", "/api/assets/accounts/mains/{city_court}/refresh", "judge", "approver", 503, 404),
    Way("GET", "/api/assets/accounts/unclaimed", "judge", "audit", 200, 200, secrets=("waiting_arrival",)),
    Way("GET", "/api/assets/accounts/reconciliation", "approver", "security", 200, 404,
        query="court_id={city_court}&month=2026-11"),
    Way("GET", "/api/assets/accounts/reconciliation.xlsx", "supervisor", "officer1", 200, 404,
        query="court_id={city_court}&month=2026-11"),
    Way("GET", "/api/assets/accounts/cases/{city_case}", "supervisor", "system", 200, 404),
    Way("GET", "/api/assets/accounts/cases/{city_case}/postings", "approver", "officer1", 200, 404),
    Way("POST", "/api/assets/accounts/cases/{city_case}/preview", "approver", "commander", 200, 404, body={}),
    Way("POST", "/api/assets/accounts/cases/{city_case}/payees", "judge", "approver", 201, 404, body=PAYEE),
    Way("POST", "/api/assets/accounts/cases/{city_case}/distributions", "judge", "commander", 201, 404, body=PRESS),
    Way("POST", "/api/assets/accounts/cases/{city_case}/deferrals", "judge", "supervisor", 201, 404,
        body=PRESS | {"ground": "objection"}),
    Way("POST", "/api/assets/accounts/arrivals/{waiting_arrival}/claim", "judge", "approver", 200, 404,
        body=PRESS | {"case_id": "{city_case}"}),
    Way("POST", "/api/assets/accounts/arrivals/{returned_arrival}/unmatch", "judge", "approver", 409, 404, body=REASON),
    Way("POST", "/api/assets/accounts/arrivals/{returned_arrival}/return", "judge", "approver", 409, 404, body=REASON),
    Way("GET", "/api/assets/accounts/discrepancies", "supervisor", "system", 200, 200, secrets=("discrepancy",)),
    Way("POST", "/api/assets/accounts/discrepancies/{discrepancy}/close", "approver", "judge", 200, 404, body=REASON),
    Way("POST", "/api/assets/accounts/arrivals/{fee_arrival}/fee-refund", "judge", "commander", 201, 404,
        body=PRESS | {"effective_on": "2026-11-20"}),
    Way("POST", "/api/assets/accounts/proposals/{money_proposal}/approve", "approver", "judge", 409, 404, body=PRESS),
    Way("POST", "/api/assets/accounts/proposals/{money_proposal}/reject", "approver", "commander", 409, 404,
        body=REASON),
    Way("POST", "/api/assets/accounts/proposals/{money_proposal}/withdraw", "judge", "approver", 409, 404, body=REASON),
    Way("POST", "/api/assets/accounts/proposals/{money_proposal}/end", "judge", "officer1", 409, 404,
        body=PRESS | {"ended_on": "2026-11-20"}),
    Way("POST", "/api/assets/accounts/holds/{money_hold}/release", "judge", "approver", 409, 404, body=REASON),
    Way("POST", "/api/assets/accounts/payments/{payment}/ask", "approver", "supervisor", 409, 404),
    Way("POST", "/api/assets/accounts/payments/{payment}/settlement", "judge", "approver", 409, 404,
        body=PRESS | {"outcome": "not-executed", "note": "x"}),
    # Recordings; their files aren't in the store, so 503 is as far as the right person gets
    Way("GET", "/api/recordings", "commander", "approver", 200, 404, query="operation_id={city_operation}"),
    Way("GET", "/api/recordings/{recording}", "commander", "approver", 200, 404),
    Way("GET", "/api/recordings/{recording}/index", "commander", "officer1", 503, 404),
    Way("GET", "/api/recordings/{recording}/segments/{segment}", "judge", "officer1", 503, 404),
    # Review
    Way("GET", "/api/operations/{city_operation}/tracks", "judge", "approver", 200, 404),
    Way("GET", "/api/operations/{city_operation}/journal", "judge", "approver", 200, 404),
    Way("GET", "/api/keys", "officer1", None, 200),
    Way("GET", "/api/operations/{city_operation}/notes", "supervisor", "approver", 200, 404),
    Way("POST", "/api/operations/{city_operation}/notes", "judge", "officer1", 201, 404,
        body={"at": STARTS, "text": "look here"}),
    Way("PATCH", "/api/notes/{note}", "supervisor", "approver", 200, 404, body={"text": "look there"}),
    Way("DELETE", "/api/notes/{spare_note}", "supervisor", "officer1", 200, 404),
    # Custody
    Way("POST", "/api/reviews", "supervisor", "approver", 201, 404,
        body={"operation_id": "{city_operation}", "purpose": "appeal"}),
    Way("POST", "/api/reviews/{review}/seeks", "supervisor", "officer1", 204, 404, body={"at": 0, "feeds": ["any"]}),
    Way("POST", "/api/reviews/{review}/verdicts", "supervisor", "approver", 200, 404,
        body={"recording_id": "{recording}"}),
    Way("GET", "/api/retention", "approver", "judge", 200, 200, secrets=("city_operation", "hold")),
    Way("POST", "/api/retention/classes", "supervisor", "judge", 204, 404,
        body={"operation_id": "{other_operation}", "retention_class": "C"}),
    Way("POST", "/api/retention/holds", "approver", "commander", 201, 404,
        body={"operation_id": "{other_operation}", "reason": "appeal"}),
    Way("POST", "/api/retention/holds/{hold}/lift", "approver", "judge", 204, 404, body={"reason": "over"}),
    Way("GET", "/api/deletions", "approver", "commander", 200, 200, secrets=("old_recording", "deletion")),
    Way("POST", "/api/deletions", "supervisor", "approver", 201, 404,
        body={"recording_id": "{oldest_recording}", "reason": "over"}),
    Way("GET", "/api/deletions/{deletion}/custody", "approver", "commander", 200, 404),
    Way("POST", "/api/deletions/{deletion}/approve", "approver", "supervisor", 204, 404),
    Way("POST", "/api/deletions/{deletion}/withdraw", "supervisor", "commander", 204, 404, body={"reason": "needed"}),
    Way("POST", "/api/deletions/{other_deletion}/refuse", "approver", "supervisor", 204, 404,
        body={"reason": "needed"}),
    # Assets
    Way("GET", "/api/assets/cases", "judge", "officer1", 200, 200, secrets=("city_case", "city_number")),
    Way("GET", "/api/assets/cases/{city_case}", "approver", "security", 200, 404),
    Way("GET", "/api/assets/search", "judge", "officer1", 200, 200, secrets=("city_case", "city_asset")),
    Way("GET", "/api/assets/search/cases", "judge", "officer1", 200, 200, secrets=("city_case", "city_number")),
    Way("GET", "/api/assets/cases/{city_case}/summary", "supervisor", "security", 200, 404),
    Way("GET", "/api/assets/items/{city_asset}/history", "judge", "officer1", 200, 404),
    Way("GET", "/api/assets/cases/{city_case}/workbook", "judge", "officer1", 200, 404),
    Way("POST", "/api/assets/cases/{city_case}/unmask", "judge", "supervisor", 200, 404,
        body={"reason": "hearing of the debtor"}),
    Way("GET", "/api/assets/terms", "judge", "officer1", 200, 200, secrets=("alarm",)),
    Way("GET", "/api/assets/terms/counts", "supervisor", "security", 200, 200),
    Way("GET", "/api/assets/terms/workbook", "judge", "officer1", 200, 200),
    Way("POST", "/api/assets/terms/alarms/{alarm}/acknowledge", "judge", "supervisor", 200, 404,
        body={"idempotency_key": "{new}"}),
    Way("GET", "/api/assets/requests", "judge", "system", 200, 404, query="case_id={city_case}"),
    Way("GET", "/api/assets/requests/{request}", "judge", "officer1", 200, 404),
    Way("POST", "/api/assets/queries", "judge", "supervisor", 202, 404, body=QUERY),
    Way("POST", "/api/assets/freezes", "judge", "approver", 202, 404, body=FREEZE),
    Way("POST", "/api/assets/seizures", "commander", "supervisor", 409, 404, body=FIRST),
    Way("POST", "/api/assets/freeze-transfers", "judge", "approver", 409, 404, body=HASTY),
    Way("POST", "/api/assets/income-withdrawals", "judge", "approver", 409, 404, body=HASTY),
    Way("POST", "/api/assets/pre-registrations", "judge", "approver", 409, 404, body=FIRST),
    Way("POST", "/api/assets/impoundments", "judge", "supervisor", 409, 404, body=FIRST),
    Way("POST", "/api/assets/renewals", "judge", "approver", 409, 404, body=CHANGE),
    Way("POST", "/api/assets/part-releases", "judge", "approver", 409, 404, body={**CHANGE, "amount_cents": 1}),
    Way("POST", "/api/assets/releases", "judge", "approver", 409, 404, body=CHANGE),
    Way("POST", "/api/assets/transfers", "judge", "approver", 409, 404, body=CHANGE),
    Way("GET", "/api/assets/items/{city_asset}/controls", "approver", "security", 200, 404),
    Way("GET", "/api/assets/items/{city_asset}/preview", "approver", "security", 200, 404),
    Way("PUT", "/api/assets/items/{city_asset}/marks", "judge", "approver", 204, 404, body={"reason": "looked at"}),
    # nobody said anything of it
    Way("POST", "/api/assets/items/{city_asset}/liftings", "judge", "approver", 409, 404, body=REASON),
    Way("GET", "/api/assets/cases/{city_case}/cover", "supervisor", "officer1", 200, 404),
    Way("POST", "/api/assets/measures/{ended_measure}/registration", "judge", "approver", 409, 404, body=REASON),
    Way("POST", "/api/assets/measures/{ended_measure}/keeping", "judge", "approver", 409, 404,
        body={**PRESS, "keeping": "inventoried"}),
    Way("POST", "/api/assets/measures/{ended_measure}/resolution", "judge", "approver", 409, 404, body=REASON),
    Way("POST", "/api/assets/requests/{request}/retry", "judge", "approver", 202, 404),
    # Cases; the debtor is no creditor, so 409 is as far as the right person gets with a claim
    Way("POST", "/api/assets/cases", "judge", "approver", 201, 403, body=CASE),
    Way("GET", "/api/assets/cases/{city_case}/file", "approver", "security", 200, 404),
    Way("POST", "/api/assets/cases/{city_case}/persons", "commander", "supervisor", 201, 404, body=OUTSIDER),
    Way("PATCH", "/api/assets/persons/{city_person}", "judge", "approver", 409, 404,
        body=REASON | {"role": "under_enforcement"}),
    Way("POST", "/api/assets/cases/{city_case}/claims", "judge", "supervisor", 409, 404, body=CLAIM),
    Way("PATCH", "/api/assets/claims/{city_claim}", "judge", "officer1", 409, 404, body=CLAIM | REASON),
    Way("POST", "/api/assets/format-checks", "supervisor", "officer1", 200,
        body={"item": "vin", "text": "1M8GDM9AXKP042788"}),
    # Sanctions; the one that is there has ended, so 409 is as far as the right person gets with it
    Way("GET", "/api/assets/sanctions", "judge", "officer1", 200, 200, secrets=("sanction", "city_number")),
    Way("GET", "/api/assets/sanctions/{sanction}", "approver", "security", 200, 404),
    Way("GET", "/api/assets/sanction-checks", "judge", "audit", 200, 404,
        query="case_id={city_case}&person_id={city_person}&kind=listing"),
    Way("POST", "/api/assets/sanctions", "judge", "approver", 201, 404, body=LIMIT),
    Way("POST", "/api/assets/sanctions/{sanction}/review", "approver", "judge", 409, 404, body=PRESS),
    Way("POST", "/api/assets/sanctions/{sanction}/decide", "approver", "commander", 409, 404,
        body=PRESS | {"decision_number": "（2026）内01执1023号之一"}),
    Way("POST", "/api/assets/sanctions/{sanction}/refuse", "approver", "judge", 409, 404, body=REASON),
    Way("POST", "/api/assets/sanctions/{sanction}/withdraw", "judge", "approver", 409, 404, body=REASON),
    Way("POST", "/api/assets/sanctions/{sanction}/serve", "judge", "commander", 409, 404,
        body=PRESS | {"served_on": "2026-11-22", "manner": "direct"}),
    Way("POST", "/api/assets/sanctions/{sanction}/publish", "judge", "approver", 409, 404, body=PRESS),
    Way("POST", "/api/assets/sanctions/{sanction}/shield", "judge", "commander", 409, 404, body=REASON),
    Way("POST", "/api/assets/sanctions/{sanction}/unshield", "approver", "supervisor", 409, 404, body=REASON),
    Way("POST", "/api/assets/sanctions/{sanction}/correct", "judge", "commander", 409, 404,
        body=REASON | {"basis_document": "1", "duty": "2", "performance": "none"}),
    Way("POST", "/api/assets/sanctions/{sanction}/deletion-ground", "judge", "supervisor", 409, 404,
        body=REASON | {"ground": "performed", "since": "2026-11-22"}),
    Way("POST", "/api/assets/sanctions/{sanction}/deletion-ground/drop", "approver", "judge", 409, 404, body=REASON),
    Way("POST", "/api/assets/sanctions/{sanction}/delete", "approver", "commander", 409, 404, body=PRESS),
    Way("GET", "/api/assets/approvals", "approver", "officer1", 200, 200, secrets=("waiting_request", "city_number")),
    Way("GET", "/api/assets/objections", "judge", "security", 200, 200, secrets=("objection", "city_number")),
    Way("POST", "/api/assets/requests/{waiting_request}/approve", "approver", "judge", 200, 404, body=PRESS),
    Way("POST", "/api/assets/requests/{other_waiting_request}/decline", "approver", "commander", 200, 404,
        body={"reason": "too much", **PRESS}),
    Way("POST", "/api/assets/requests/{waiting_request}/withdraw", "judge", "approver", 409, 404, body=PRESS),
    Way("POST", "/api/assets/requests/{checkable_request}/check", "judge", "approver", 200, 404, body=PRESS),
    Way("GET", "/api/assets/requests/{request}/papers", "supervisor", "officer1", 200, 404),
    Way("GET", "/api/assets/requests/{request}/papers/text", "approver", "supervisor", 200, 404),
    Way("GET", "/api/assets/batches", "judge", "system", 200, 404, query="case_id={city_case}"),
    Way("GET", "/api/assets/batches/{batch}", "judge", "officer1", 200, 404),
    Way("POST", "/api/assets/objections/{objection}/maintain", "judge", "approver", 200, 404,
        body={"answer": "we insist", **PRESS}),
    Way("POST", "/api/assets/objections/{other_objection}/yield", "judge", "supervisor", 200, 404,
        body={"answer": "we yield", **PRESS}),
    Way("GET", "/api/assets/overdue", "judge", "officer1", 200, 200, secrets=("request", "city_number")),
    Way("GET", "/api/assets/seals", "judge", "officer1", 200),
    # Exports; none is done, so 409 is as far as the right person gets to a package
    Way("POST", "/api/exports", "commander", "judge", 202, 404, body=EXPORT),
    Way("GET", "/api/exports", "supervisor", "judge", 200, 404, query="operation_id={city_operation}"),
    Way("GET", "/api/exports/{export}", "supervisor", "approver", 200, 404),
    Way("GET", "/api/exports/{export}/package", "supervisor", "officer1", 409, 404),
    Way("DELETE", "/api/exports/{spare_export}", "commander", "judge", 200, 404),
    # Administration
    Way("GET", "/api/accounts", "security", "commander", 200, 200, secrets=("officer",)),
    Way("POST", "/api/accounts", "security", "system", 201, 404, body=ACCOUNT),
    Way("POST", "/api/accounts/{spare}/disable", "security", "commander", 204, 404),
    Way("POST", "/api/accounts/{spare}/end-sessions", "security", "audit", 204, 404),
    Way("GET", "/api/courts", "security", "commander", 200, 200, secrets=("city_name",)),
    Way("GET", "/api/audit", "audit", "security", 200, 200, query="limit=500", secrets=("officer", "feed")),
    Way("GET", "/api/audit", "supervisor", "judge", 200, 200, query="limit=500", secrets=("feed",)),
    Way("GET", "/api/audit/verdict", "audit", "commander", 200),
    Way("GET", "/api/docs", "system", None, 200),
    Way("GET", "/api/openapi.json", "system", None, 200),
    # Last, since it ends the session that it is tried with
    Way("DELETE", "/api/session", "saihan-approver", None, 204),
)
# fmt: on

PUBLIC: dict[tuple[str, str], str] = {
    ("POST", "/api/session"): "signing in",
    ("POST", "/api/token"): "signing in",
    ("GET", "/sign-in"): "the form",
    ("GET", "/setup/{secret}"): "opens with its secret only",
    ("POST", "/setup/{secret}"): "works with its secret only",
    ("GET", "/healthz"): "says whether parts are well and for how long recordings have room, nothing else",
    ("GET", "/metrics"): "this machine only, see test_gate",
    ("GET", "/local-ca.crt"): "a certificate",
    ("GET", "/field"): "the officer's page, without data",
    ("GET", "/field/*"): "its files",
    ("GET", "/static/*"): "files",
    ("GET", "/static/words/{language}.json"): "words",
    ("GET", "/static/asset_looks.json"): "looks",
    ("GET", "/vendor/leaflet/*"): "files",
    ("GET", "/_dash-component-suites/{package_name}/{fingerprinted_path:path}"): "files",
    ("GET", "/_favicon.ico"): "a file",
}
"""What anybody may have, and why."""

CLOSED: frozenset[tuple[str, str]] = frozenset({("GET", "/_reload-hash"), ("WS", "/_dash-ws-callback")})
"""What Dash registers and nobody may have."""

MEDIA: tuple[tuple[str, str], ...] = tuple(
    (method, f"/{road}/{path}")
    for road in ("whip", "whep")
    for path in ("{feed}", "{feed}/{session}")
    for method in ("POST", "PATCH", "DELETE", "GET", "OPTIONS")
)
"""Passed on to the node; a new session needs a token for this feed and right."""


@dataclass(frozen=True)
class SocketWay:
    """One message type of one socket."""

    path: str
    message: str
    right: str
    wrong: str


SOCKETS: tuple[SocketWay, ...] = (
    SocketWay("/api/live", "watch", "commander", "officer1"),
    SocketWay("/api/officer", "hello", "officer1", "commander"),
    SocketWay("/api/officer", "position", "officer1", "judge"),
    SocketWay("/api/officer", "camera", "officer1", "security"),
    SocketWay("/api/officer", "receipt", "officer1", "supervisor"),
)


@dataclass(frozen=True)
class Callback:
    """Whose callback output it is."""

    right: str
    wrong: str | None


_SEE, _QUERY, _CONTROL = (
    Callback("approver", "officer1"),
    Callback("judge", "supervisor"),
    Callback("judge", "approver"),
)

CALLBACKS: dict[str, Callback] = {
    "_pages_content.children": Callback("commander", None),
    "_pages_store.data": Callback("commander", None),
    "assets-headline.children": _SEE,
    "assets-strip.children": _SEE,
    "assets-money.figure": _SEE,
    "assets-answers.children": _SEE,
    "assets-grid.rowData": _SEE,
    "assets-graph.figure": _SEE,
    "assets-chosen.children": _SEE,
    "assets-open.children": _SEE,
    "assets-open.disabled": _SEE,
    "assets-asked.data": _QUERY,
    "assets-order.opened": _CONTROL,
    "assets-order.title": _CONTROL,
    "assets-order-facts.children": _CONTROL,
    "assets-order-key.data": _CONTROL,
    "assets-order-ruling.value": _CONTROL,
    "assets-order-amount.value": _CONTROL,
    "assets-order-amount.style": _CONTROL,
    "assets-order-confirm.children": _CONTROL,
    "assets-order-error.children": _CONTROL,
    "assets-ordered.data": _CONTROL,
}

_OTHERWISE_BOUND = {
    "/api/assets/format-checks",  # of nobody's case
    "/api/assets/accounts/cases/{city_case}/preview",  # only reckons
    "/api/assets/cases/{city_case}/unmask",  # by the case's own judge alone
}
OF_A_CASES_COURT = tuple(
    way
    for way in WAYS
    if way.method != "GET"
    and way.path.startswith("/api/assets/")
    and not way.path.startswith("/api/assets/mine/")
    and way.path not in _OTHERWISE_BOUND
)
"""Every way to do something in a case: for people of the court that has it, and for no court above."""
