"""What a bank or a registry objects to: the court answers in 15 days, insisting or yielding.

Source: 法释〔2013〕20号 §6. The days are calendar days in China.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from assets.tables import AssetRequest, Objection
from assets.terms import china_day

ANSWER_DAYS = 15
"""Source: 法释〔2013〕20号 §6."""
LONGEST_WORDS = 500


def objection_to(request: AssetRequest, words: str, at: datetime) -> Objection:
    """The objection as it is noted on the day that it came."""
    return Objection(
        request_id=request.id,
        raised_at=at,
        due_on=china_day(at) + timedelta(days=ANSWER_DAYS),
        words=words[:LONGEST_WORDS],
    )
