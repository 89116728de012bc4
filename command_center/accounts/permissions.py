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
    PUBLISH = "publish"
    """The officer's page: publish one's own feed, receive instructions."""
    REVIEW = "review"
    """Watch recordings."""
    MANAGE_ACCOUNTS = "manage_accounts"
    REVOKE_DEVICES = "revoke_devices"
    READ_AUDIT = "read_audit"
    RUN_SYSTEM = "run_system"


_CENTRE = {Permission.SEE_OPERATIONS, Permission.VIEW_FEEDS, Permission.SEE_ASSETS}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.COMMANDER: frozenset(
        _CENTRE
        | {
            Permission.SEND_INSTRUCTIONS,
            Permission.TALK,
            Permission.QUERY_ASSETS,
            Permission.CONTROL_ASSETS,
            Permission.REVIEW,
            Permission.REVOKE_DEVICES,
        }
    ),
    Role.JUDGE: frozenset(_CENTRE | {Permission.QUERY_ASSETS, Permission.CONTROL_ASSETS, Permission.REVIEW}),
    Role.APPROVER: frozenset(_CENTRE),
    Role.OFFICER: frozenset({Permission.PUBLISH}),
    Role.SUPERVISOR: frozenset(_CENTRE | {Permission.REVIEW}),
    Role.SYSTEM_ADMINISTRATOR: frozenset({Permission.RUN_SYSTEM}),
    Role.SECURITY_ADMINISTRATOR: frozenset({Permission.MANAGE_ACCOUNTS, Permission.REVOKE_DEVICES}),
    Role.AUDIT_ADMINISTRATOR: frozenset({Permission.READ_AUDIT}),
}


def roles_in(text: str) -> frozenset[Role]:
    """The roles in a comma-separated setting."""
    return frozenset(Role(part.strip()) for part in text.split(",") if part.strip())
