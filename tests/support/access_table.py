"""Every way into the web process, with who may use it and who may not: what isn't here fails the access tests.

`{…}` in urls and bodies stand for ids of `AccessWorld`. `other_court` is somebody of the district court with the same
role as `right`, `other_operation` an officer of the same court from another operation; each with the status that they
get. Where a list has no id in its url, they get an empty one, or their own: what they may not read is in `secrets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.access_world import OTHER_OFFICER

REVOKED_BY_TEST = "officer2"


@dataclass(frozen=True)
class Way:
    """One route with one method."""

    method: str
    route: str
    right: str
    """Who may."""
    wrong: str | None
    """Whose role may not; None where every role may."""
    url: str = ""
    body: Any = None
    status: int = 200
    """What the right person gets."""
    other_court: tuple[str, int] | None = None
    other_operation: tuple[str, int] | None = None
    secrets: tuple[str, ...] = ()
    is_page: bool = False

    @property
    def address(self) -> str:
        """Where to ask."""
        return self.url or self.route


DISTRICT = "saihan-commander"
DISTRICT_OFFICER = "saihan-officer"
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
SEIZURE = {"asset_id": "{city_asset}", "ruling_number": "（2026）内01执1023号之一", "idempotency_key": "{new}"}
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
CLAIM = {
    "creditor_id": "{city_person}",
    "amount_cents": 1,
    "principal_cents": 1,
    "idempotency_key": "{new}",
}
PRESS = {"idempotency_key": "{new}"}
REASON = {"reason": "over", "idempotency_key": "{new}"}
PRESS = {"idempotency_key": "{new}"}
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

WAYS: tuple[Way, ...] = (
    # Sessions
    Way("GET", "/api/session", "officer1", None),
    Way("PATCH", "/api/session", "officer1", None, body={"language": "zh"}),
    Way("POST", "/api/password", "approver", None, body={"old": "x", "new": "y"}, status=401),
    # Pages
    Way("GET", "/", "commander", "officer1", is_page=True),
    Way("GET", "/review", "commander", "approver", is_page=True),
    Way("GET", "/accounts", "security", "commander", is_page=True),
    Way("GET", "/audit", "audit", "commander", is_page=True),
    Way("GET", "/system", "system", "commander", is_page=True),
    Way("GET", "/assets", "judge", "officer1", is_page=True),
    Way("GET", "/assets/sanctions", "approver", "officer1", is_page=True),
    Way("GET", "/assets/cases", "supervisor", "officer1", is_page=True),
    Way("GET", "/assets/terms", "judge", "officer1", is_page=True),
    Way("GET", "/retention", "supervisor", "commander", is_page=True),
    Way("GET", "/map/{kind}", "commander", "officer1", "/map/centre"),
    Way("GET", "/_dash-layout", "commander", None),
    Way("GET", "/_dash-dependencies", "commander", None),
    Way(
        "POST",
        "/_dash-update-component",
        "commander",
        "officer1",
        body={
            "output": ".._pages_content.children..._pages_store.data..",
            "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
            "inputs": [
                {"id": "_pages_location", "property": "pathname", "value": "/"},
                {"id": "_pages_location", "property": "search", "value": ""},
            ],
            "changedPropIds": [],
        },
    ),
    # Operations
    Way(
        "GET",
        "/api/operations",
        "commander",
        "security",
        other_court=(DISTRICT, 200),
        other_operation=(OTHER_OFFICER, 200),
        secrets=("city_operation", "city_site"),
    ),
    Way(
        "GET",
        "/api/operations/{operation_id}",
        "commander",
        "audit",
        "/api/operations/{city_operation}",
        other_court=(DISTRICT, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "POST",
        "/api/operations",
        "commander",
        "judge",
        body=CITY_OPERATION,
        status=201,
        other_court=(DISTRICT, 422),
    ),
    Way(
        "PUT",
        "/api/operations/{operation_id}/officers/{user_id}",
        "commander",
        "officer1",
        "/api/operations/{city_operation}/officers/{spare}",
        body={},
        status=204,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "DELETE",
        "/api/operations/{operation_id}/officers/{user_id}",
        "commander",
        "supervisor",
        "/api/operations/{city_operation}/officers/{spare}",
        status=204,
        other_court=(DISTRICT, 404),
    ),
    # Feeds
    Way(
        "GET",
        "/api/feeds",
        "commander",
        "system",
        other_court=(DISTRICT, 200),
        other_operation=(OTHER_OFFICER, 200),
        secrets=("feed", "lost_feed"),
    ),
    Way(
        "POST",
        "/api/feeds",
        "officer1",
        "commander",
        body=FEED,
        other_court=(DISTRICT_OFFICER, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "DELETE",
        "/api/feeds/{name}",
        "commander",
        "officer1",
        "/api/feeds/{lost_feed}",
        status=204,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "POST",
        "/api/media-tokens",
        "commander",
        "security",
        body=VIEW,
        other_court=(DISTRICT, 404),
        other_operation=(OTHER_OFFICER, 403),
    ),
    Way(
        "POST",
        "/api/media-tokens",
        "officer1",
        "commander",
        body={"feed": "{feed}", "right": "publish"},
        other_court=(DISTRICT_OFFICER, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "POST",
        "/api/media-tokens",
        "officer1",
        "commander",
        body={"feed": "{feed}", "right": "listen"},
        other_court=(DISTRICT_OFFICER, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "POST",
        "/api/media-tokens",
        "commander",
        "supervisor",
        body={"operation_id": "{city_operation}", "right": "talk"},
        other_court=(DISTRICT, 404),
        other_operation=(OTHER_OFFICER, 403),
    ),
    # Instructions and positions
    Way(
        "GET",
        "/api/instructions",
        "commander",
        "officer1",
        "/api/instructions?operation_id={city_operation}",
        other_court=(DISTRICT, 404),
    ),
    Way(
        "POST",
        "/api/instructions",
        "commander",
        "judge",
        body=INSTRUCTION,
        status=201,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "GET",
        "/api/positions",
        "commander",
        "audit",
        "/api/positions?feed={feed}",
        other_court=(DISTRICT, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "GET",
        "/api/operations/{operation_id}/timeline",
        "commander",
        "officer1",
        "/api/operations/{city_operation}/timeline",
        other_court=(DISTRICT, 404),
    ),
    # Assets on site
    Way(
        "GET",
        "/api/assets/mine",
        "officer1",
        "judge",
        other_court=(DISTRICT_OFFICER, 200),
        other_operation=(OTHER_OFFICER, 200),
        secrets=("city_case", "city_number", "city_person", "city_asset", "proposal"),
    ),
    Way(
        "POST",
        "/api/assets/mine/queries",
        "officer1",
        "supervisor",
        body={"case_id": "{city_case}", "person_id": "{city_other_person}", "idempotency_key": "{new}"},
        status=202,
        other_court=(DISTRICT_OFFICER, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "POST",
        "/api/assets/mine/proposals",
        "officer1",
        "commander",
        body={
            "operation_id": "{city_operation}",
            "kind": "movable",
            "description": "a lathe",
            "action": "impound",
            "idempotency_key": "{new}",
        },
        status=201,
        other_court=(DISTRICT_OFFICER, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "POST",
        "/api/assets/mine/proposals/{id}/withdraw",
        "officer1",
        "judge",
        "/api/assets/mine/proposals/{withdrawn_proposal}/withdraw",
        other_court=(DISTRICT_OFFICER, 404),
        other_operation=(OTHER_OFFICER, 404),
    ),
    Way(
        "GET",
        "/api/assets/proposals",
        "approver",
        "officer1",
        other_court=("saihan-approver", 200),
        secrets=("proposal", "city_case", "city_number"),
    ),
    Way(
        "POST",
        "/api/assets/proposals/{id}/decline",
        "judge",
        "approver",
        "/api/assets/proposals/{declined_proposal}/decline",
        body={"reason": "not his"},
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/proposals/{id}/take-up",
        "judge",
        "supervisor",
        "/api/assets/proposals/{taken_up_proposal}/take-up",
        body={"request_id": "{order}"},
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/proposals/{id}/asset",
        "commander",
        "officer1",
        "/api/assets/proposals/{recorded_proposal}/asset",
        body={"person_id": "{city_person}"},
        other_court=(DISTRICT, 404),
    ),
    # Recordings; their files aren't in the store, so 503 is as far as the right person gets
    Way(
        "GET",
        "/api/recordings",
        "commander",
        "approver",
        "/api/recordings?operation_id={city_operation}",
        other_court=(DISTRICT, 404),
    ),
    Way(
        "GET",
        "/api/recordings/{recording_id}",
        "commander",
        "approver",
        "/api/recordings/{recording}",
        other_court=(DISTRICT, 404),
    ),
    Way(
        "GET",
        "/api/recordings/{recording_id}/index",
        "commander",
        "officer1",
        "/api/recordings/{recording}/index",
        status=503,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "GET",
        "/api/recordings/{recording_id}/segments/{number}",
        "judge",
        "officer1",
        "/api/recordings/{recording}/segments/1",
        status=503,
        other_court=("saihan-supervisor", 404),
    ),
    # Review
    Way(
        "GET",
        "/api/operations/{operation_id}/tracks",
        "judge",
        "approver",
        "/api/operations/{city_operation}/tracks",
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/operations/{operation_id}/journal",
        "judge",
        "approver",
        "/api/operations/{city_operation}/journal",
        other_court=("saihan-supervisor", 404),
    ),
    Way("GET", "/api/keys", "officer1", None),
    Way(
        "GET",
        "/api/operations/{operation_id}/notes",
        "supervisor",
        "approver",
        "/api/operations/{city_operation}/notes",
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "POST",
        "/api/operations/{operation_id}/notes",
        "judge",
        "officer1",
        "/api/operations/{city_operation}/notes",
        body={"at": STARTS, "text": "look here"},
        status=201,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "PATCH",
        "/api/notes/{note_id}",
        "supervisor",
        "approver",
        "/api/notes/{note}",
        body={"text": "look there"},
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "DELETE",
        "/api/notes/{note_id}",
        "supervisor",
        "officer1",
        "/api/notes/{spare_note}",
        other_court=("saihan-supervisor", 404),
    ),
    # Custody
    Way(
        "POST",
        "/api/reviews",
        "supervisor",
        "approver",
        body={"operation_id": "{city_operation}", "purpose": "appeal"},
        status=201,
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "POST",
        "/api/reviews/{review_id}/seeks",
        "supervisor",
        "officer1",
        "/api/reviews/{review}/seeks",
        body={"at": 0, "feeds": ["any"]},
        status=204,
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "POST",
        "/api/reviews/{review_id}/verdicts",
        "supervisor",
        "approver",
        "/api/reviews/{review}/verdicts",
        body={"recording_id": "{recording}"},
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/retention",
        "approver",
        "judge",
        other_court=("saihan-approver", 200),
        secrets=("city_operation", "hold"),
    ),
    Way(
        "POST",
        "/api/retention/classes",
        "supervisor",
        "judge",
        body={"operation_id": "{other_operation}", "retention_class": "C"},
        status=204,
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "POST",
        "/api/retention/holds",
        "approver",
        "commander",
        body={"operation_id": "{other_operation}", "reason": "appeal"},
        status=201,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/retention/holds/{hold_id}/lift",
        "approver",
        "judge",
        "/api/retention/holds/{hold}/lift",
        body={"reason": "over"},
        status=204,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "GET",
        "/api/deletions",
        "approver",
        "commander",
        other_court=("saihan-approver", 200),
        secrets=("old_recording", "deletion"),
    ),
    Way(
        "POST",
        "/api/deletions",
        "supervisor",
        "approver",
        body={"recording_id": "{oldest_recording}", "reason": "over"},
        status=201,
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/deletions/{deletion_id}/custody",
        "approver",
        "commander",
        "/api/deletions/{deletion}/custody",
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/deletions/{deletion_id}/approve",
        "approver",
        "supervisor",
        "/api/deletions/{deletion}/approve",
        status=204,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/deletions/{deletion_id}/withdraw",
        "supervisor",
        "commander",
        "/api/deletions/{deletion}/withdraw",
        body={"reason": "needed"},
        status=204,
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "POST",
        "/api/deletions/{deletion_id}/refuse",
        "approver",
        "supervisor",
        "/api/deletions/{other_deletion}/refuse",
        body={"reason": "needed"},
        status=204,
        other_court=("saihan-approver", 404),
    ),
    # Assets
    Way(
        "GET",
        "/api/assets/cases",
        "judge",
        "officer1",
        other_court=("saihan-judge", 200),
        secrets=("city_case", "city_number"),
    ),
    Way(
        "GET",
        "/api/assets/cases/{id}",
        "approver",
        "security",
        "/api/assets/cases/{city_case}",
        other_court=("saihan-approver", 404),
    ),
    Way(
        "GET",
        "/api/assets/search",
        "judge",
        "officer1",
        other_court=("saihan-judge", 200),
        secrets=("city_case", "city_asset"),
    ),
    Way(
        "GET",
        "/api/assets/search/cases",
        "judge",
        "officer1",
        other_court=("saihan-judge", 200),
        secrets=("city_case", "city_number"),
    ),
    Way(
        "GET",
        "/api/assets/cases/{id}/summary",
        "supervisor",
        "security",
        "/api/assets/cases/{city_case}/summary",
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/assets/items/{id}/history",
        "judge",
        "officer1",
        "/api/assets/items/{city_asset}/history",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/cases/{id}/workbook",
        "judge",
        "officer1",
        "/api/assets/cases/{city_case}/workbook",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/cases/{id}/unmask",
        "judge",
        "supervisor",
        "/api/assets/cases/{city_case}/unmask",
        body={"reason": "hearing of the debtor"},
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/terms",
        "judge",
        "officer1",
        other_court=("saihan-judge", 200),
        secrets=("alarm",),
    ),
    Way("GET", "/api/assets/terms/counts", "supervisor", "security", other_court=("saihan-supervisor", 200)),
    Way("GET", "/api/assets/terms/workbook", "judge", "officer1", other_court=("saihan-judge", 200)),
    Way(
        "POST",
        "/api/assets/terms/alarms/{id}/acknowledge",
        "judge",
        "supervisor",
        "/api/assets/terms/alarms/{alarm}/acknowledge",
        body={"idempotency_key": "{new}"},
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/requests",
        "judge",
        "system",
        "/api/assets/requests?case_id={city_case}",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/requests/{id}",
        "judge",
        "officer1",
        "/api/assets/requests/{request}",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/queries",
        "judge",
        "supervisor",
        body=QUERY,
        status=202,
        other_court=("saihan-judge", 404),
    ),
    Way("POST", "/api/assets/freezes", "judge", "approver", body=FREEZE, status=202, other_court=("saihan-judge", 404)),
    Way(
        "POST",
        "/api/assets/seizures",
        "commander",
        "supervisor",
        body=SEIZURE,
        status=409,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "POST",
        "/api/assets/requests/{id}/retry",
        "judge",
        "approver",
        "/api/assets/requests/{request}/retry",
        status=202,
        other_court=("saihan-judge", 404),
    ),
    # Cases; the debtor is no creditor, so 409 is as far as the right person gets with a claim
    Way("POST", "/api/assets/cases", "judge", "approver", body=CASE, status=201, other_court=("saihan-judge", 403)),
    Way(
        "GET",
        "/api/assets/cases/{id}/file",
        "approver",
        "security",
        "/api/assets/cases/{city_case}/file",
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/cases/{id}/persons",
        "commander",
        "supervisor",
        "/api/assets/cases/{city_case}/persons",
        body=OUTSIDER,
        status=201,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "PATCH",
        "/api/assets/persons/{id}",
        "judge",
        "approver",
        "/api/assets/persons/{city_person}",
        body=REASON | {"role": "under_enforcement"},
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/cases/{id}/claims",
        "judge",
        "supervisor",
        "/api/assets/cases/{city_case}/claims",
        body=CLAIM,
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "PATCH",
        "/api/assets/claims/{id}",
        "judge",
        "officer1",
        "/api/assets/claims/{city_claim}",
        body=CLAIM | REASON,
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/format-checks",
        "supervisor",
        "officer1",
        body={"item": "vin", "text": "1M8GDM9AXKP042788"},
    ),
    # Sanctions; the one that is there has ended, so 409 is as far as the right person gets with it
    Way(
        "GET",
        "/api/assets/sanctions",
        "judge",
        "officer1",
        other_court=("saihan-judge", 200),
        secrets=("sanction", "city_number"),
    ),
    Way(
        "GET",
        "/api/assets/sanctions/{id}",
        "approver",
        "security",
        "/api/assets/sanctions/{sanction}",
        other_court=("saihan-approver", 404),
    ),
    Way(
        "GET",
        "/api/assets/sanction-checks",
        "judge",
        "audit",
        "/api/assets/sanction-checks?case_id={city_case}&person_id={city_person}&kind=listing",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions",
        "judge",
        "approver",
        body=LIMIT,
        status=201,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/review",
        "approver",
        "judge",
        "/api/assets/sanctions/{sanction}/review",
        body=PRESS,
        status=409,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/decide",
        "approver",
        "commander",
        "/api/assets/sanctions/{sanction}/decide",
        body=PRESS | {"decision_number": "（2026）内01执1023号之一"},
        status=409,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/refuse",
        "approver",
        "judge",
        "/api/assets/sanctions/{sanction}/refuse",
        body=REASON,
        status=409,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/withdraw",
        "judge",
        "approver",
        "/api/assets/sanctions/{sanction}/withdraw",
        body=REASON,
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/serve",
        "judge",
        "commander",
        "/api/assets/sanctions/{sanction}/serve",
        body=PRESS | {"served_on": "2026-11-22", "manner": "direct"},
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/publish",
        "judge",
        "approver",
        "/api/assets/sanctions/{sanction}/publish",
        body=PRESS,
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/shield",
        "judge",
        "commander",
        "/api/assets/sanctions/{sanction}/shield",
        body=REASON,
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/unshield",
        "approver",
        "supervisor",
        "/api/assets/sanctions/{sanction}/unshield",
        body=REASON,
        status=409,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/correct",
        "judge",
        "commander",
        "/api/assets/sanctions/{sanction}/correct",
        body=REASON | {"basis_document": "1", "duty": "2", "performance": "none"},
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/deletion-ground",
        "judge",
        "supervisor",
        "/api/assets/sanctions/{sanction}/deletion-ground",
        body=REASON | {"ground": "performed", "since": "2026-11-22"},
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/sanctions/{id}/delete",
        "approver",
        "commander",
        "/api/assets/sanctions/{sanction}/delete",
        body=PRESS,
        status=409,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "GET",
        "/api/assets/approvals",
        "approver",
        "officer1",
        other_court=("saihan-approver", 200),
        secrets=("waiting_request", "city_number"),
    ),
    Way(
        "GET",
        "/api/assets/objections",
        "judge",
        "security",
        other_court=("saihan-judge", 200),
        secrets=("objection", "city_number"),
    ),
    Way(
        "POST",
        "/api/assets/requests/{id}/approve",
        "approver",
        "judge",
        "/api/assets/requests/{waiting_request}/approve",
        body=PRESS,
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/requests/{id}/decline",
        "approver",
        "commander",
        "/api/assets/requests/{other_waiting_request}/decline",
        body={"reason": "too much", **PRESS},
        other_court=("saihan-approver", 404),
    ),
    Way(
        "POST",
        "/api/assets/requests/{id}/withdraw",
        "judge",
        "approver",
        "/api/assets/requests/{waiting_request}/withdraw",
        body=PRESS,
        status=409,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/requests/{id}/check",
        "judge",
        "approver",
        "/api/assets/requests/{checkable_request}/check",
        body=PRESS,
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/requests/{id}/papers",
        "supervisor",
        "officer1",
        "/api/assets/requests/{request}/papers",
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/assets/requests/{id}/papers/text",
        "approver",
        "supervisor",
        "/api/assets/requests/{request}/papers/text",
        other_court=("saihan-approver", 404),
    ),
    Way(
        "GET",
        "/api/assets/batches",
        "judge",
        "system",
        "/api/assets/batches?case_id={city_case}",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/batches/{key}",
        "judge",
        "officer1",
        "/api/assets/batches/{batch}",
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/objections/{id}/maintain",
        "judge",
        "approver",
        "/api/assets/objections/{objection}/maintain",
        body={"answer": "we insist", **PRESS},
        other_court=("saihan-judge", 404),
    ),
    Way(
        "POST",
        "/api/assets/objections/{id}/yield",
        "judge",
        "supervisor",
        "/api/assets/objections/{other_objection}/yield",
        body={"answer": "we yield", **PRESS},
        other_court=("saihan-judge", 404),
    ),
    Way(
        "GET",
        "/api/assets/overdue",
        "judge",
        "officer1",
        other_court=("saihan-judge", 200),
        secrets=("request", "city_number"),
    ),
    Way("GET", "/api/assets/seals", "judge", "officer1"),
    # Exports; none is done, so 409 is as far as the right person gets to a package
    Way(
        "POST",
        "/api/exports",
        "commander",
        "judge",
        body=EXPORT,
        status=202,
        other_court=(DISTRICT, 404),
    ),
    Way(
        "GET",
        "/api/exports",
        "supervisor",
        "judge",
        "/api/exports?operation_id={city_operation}",
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/exports/{export_id}",
        "supervisor",
        "approver",
        "/api/exports/{export}",
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "GET",
        "/api/exports/{export_id}/package",
        "supervisor",
        "officer1",
        "/api/exports/{export}/package",
        status=409,
        other_court=("saihan-supervisor", 404),
    ),
    Way(
        "DELETE",
        "/api/exports/{export_id}",
        "commander",
        "judge",
        "/api/exports/{spare_export}",
        other_court=(DISTRICT, 404),
    ),
    # Administration
    Way("GET", "/api/accounts", "security", "commander", other_court=("saihan-security", 200), secrets=("officer",)),
    Way("POST", "/api/accounts", "security", "system", body=ACCOUNT, status=201, other_court=("saihan-security", 404)),
    Way(
        "POST",
        "/api/accounts/{user_id}/disable",
        "security",
        "commander",
        "/api/accounts/{spare}/disable",
        status=204,
        other_court=("saihan-security", 404),
    ),
    Way(
        "POST",
        "/api/accounts/{user_id}/end-sessions",
        "security",
        "audit",
        "/api/accounts/{spare}/end-sessions",
        status=204,
        other_court=("saihan-security", 404),
    ),
    Way("GET", "/api/courts", "security", "commander", other_court=("saihan-security", 200), secrets=("city_name",)),
    Way(
        "GET",
        "/api/audit",
        "audit",
        "security",
        "/api/audit?limit=500",
        other_court=("saihan-audit", 200),
        secrets=("officer", "feed"),
    ),
    Way(
        "GET",
        "/api/audit",
        "supervisor",
        "judge",
        "/api/audit?limit=500",
        other_court=("saihan-supervisor", 200),
        secrets=("feed",),
    ),
    Way("GET", "/api/audit/verdict", "audit", "commander"),
    Way("GET", "/api/docs", "system", None),
    Way("GET", "/api/openapi.json", "system", None),
    # Last, since it ends the session that it is tried with
    Way("DELETE", "/api/session", "saihan-approver", None, status=204),
)

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
