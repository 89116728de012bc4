"""What a role may do; every door asks for a permission, never for a role."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The court's own offices, and the three separate administrators."""

    COMMANDER = "commander"
    JUDGE = "judge"
    APPROVER = "approver"
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDIT_ADMINISTRATOR = "audit_administrator"


class Permission(StrEnum):
    """What a door may ask for."""

    SEE_OPERATIONS = "see_operations"
    """The centre's screen: feeds, map, instructions of the operations in one's scope."""
    VIEW_FEEDS = "view_feeds"
    SEND_INSTRUCTIONS = "send_instructions"
    TALK = "talk"
    """Speak to the officers of an operation, over their phones."""
    SEE_ASSETS = "see_assets"
    QUERY_ASSETS = "query_assets"
    CONTROL_ASSETS = "control_assets"
    APPROVE_ASSETS = "approve_assets"
    """The second person of a control that needs one."""
    PROPOSE_ASSETS = "propose_assets"
    """On site: query and propose a control, in the cases of one's own operations."""
    UNMASK_ASSETS = "unmask_assets"
    """See names and numbers of one's own case as they are, for a stated reason."""
    PROPOSE_SANCTION = "propose_sanction"
    """Propose that a defaulter is listed or limited, and carry out what was decided."""
    DECIDE_SANCTION = "decide_sanction"
    """Sign it: the president of the court, never the one who proposed."""
    MANAGE_CASES = "manage_cases"
    """Register cases, their persons and claims."""
    HANDLE_CASE_MONEY = "handle_case_money"
    """Claim what arrived for a case, compute and propose who gets it."""
    APPROVE_CASE_MONEY = "approve_case_money"
    """The second person without whom no case money is paid, kept or put off."""
    PUBLISH = "publish"
    """The officer's page: publish one's own feed, receive instructions."""
    REVIEW = "review"
    """Watch recordings."""
    REVIEW_WITHOUT_PURPOSE = "review_without_purpose"
    """Watch them without saying what for: those whose own work it is."""
    HOLD_RECORDINGS = "hold_recordings"
    """Say how long recordings are kept, put them under legal hold, and lift what somebody else has put."""
    PROPOSE_DELETION = "propose_deletion"
    APPROVE_DELETION = "approve_deletion"
    """The second of the two without whom nothing is deleted."""
    EXPORT = "export"
    """Have packages of recordings made, for those outside, and fetch them."""
    UNMASK = "unmask"
    """Leave names and numbers as they are in what is exported, for a stated reason."""
    MANAGE_ACCOUNTS = "manage_accounts"
    REVOKE_DEVICES = "revoke_devices"
    READ_AUDIT = "read_audit"
    READ_OPERATION_AUDIT = "read_operation_audit"
    """Of the audit, what was done and seen in operations; nothing of accounts."""
    RUN_SYSTEM = "run_system"


_CENTRE = {Permission.SEE_OPERATIONS, Permission.VIEW_FEEDS, Permission.SEE_ASSETS}
_OWN_REVIEW = {Permission.REVIEW, Permission.REVIEW_WITHOUT_PURPOSE}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.COMMANDER: frozenset(
        _CENTRE
        | {
            Permission.SEND_INSTRUCTIONS,
            Permission.TALK,
            Permission.QUERY_ASSETS,
            Permission.CONTROL_ASSETS,
            Permission.UNMASK_ASSETS,
            Permission.MANAGE_CASES,
            *_OWN_REVIEW,
            Permission.EXPORT,
            Permission.UNMASK,
            Permission.REVOKE_DEVICES,
        }
    ),
    Role.JUDGE: frozenset(
        _CENTRE
        | _OWN_REVIEW
        | {
            Permission.QUERY_ASSETS,
            Permission.CONTROL_ASSETS,
            Permission.UNMASK_ASSETS,
            Permission.PROPOSE_SANCTION,
            Permission.MANAGE_CASES,
            Permission.HANDLE_CASE_MONEY,
        }
    ),
    Role.APPROVER: frozenset(
        _CENTRE
        | {
            Permission.APPROVE_ASSETS,
            Permission.DECIDE_SANCTION,
            Permission.APPROVE_CASE_MONEY,
            Permission.HOLD_RECORDINGS,
            Permission.APPROVE_DELETION,
        }
    ),
    Role.OFFICER: frozenset({Permission.PUBLISH, Permission.PROPOSE_ASSETS}),
    Role.SUPERVISOR: frozenset(
        _CENTRE
        | {
            Permission.REVIEW,
            Permission.EXPORT,
            Permission.HOLD_RECORDINGS,
            Permission.PROPOSE_DELETION,
            Permission.READ_OPERATION_AUDIT,
        }
    ),
    Role.SYSTEM_ADMINISTRATOR: frozenset({Permission.RUN_SYSTEM}),
    Role.SECURITY_ADMINISTRATOR: frozenset({Permission.MANAGE_ACCOUNTS, Permission.REVOKE_DEVICES}),
    Role.AUDIT_ADMINISTRATOR: frozenset({Permission.READ_AUDIT}),
}


def roles_in(text: str) -> frozenset[Role]:
    """The roles in a comma-separated setting."""
    return frozenset(Role(part.strip()) for part in text.split(",") if part.strip())
