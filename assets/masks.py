"""What a wall, an export or a stranger's eye may see of personal data.

Source: 个人信息保护法 §6, §28, §51.
"""

from __future__ import annotations


def masked_name(name: str, *, is_firm: bool) -> str:
    """A person's surname and a star; a firm's name is public and stays."""
    return name if is_firm else f"{name[:1]}*"


def masked_id(number: str) -> str:
    """The first three and last four characters of an identity number or code."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) > 7 else "*" * len(number)


def masked_account(number: str) -> str:
    """The last four digits of an account."""
    return f"****{number[-4:]}" if len(number) > 4 else "****"
