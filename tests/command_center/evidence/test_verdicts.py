"""What a verification is told as: the gravest first, what reads alike once, and of a recording what concerns it."""

from __future__ import annotations

import pytest

from command_center.evidence.verdicts import EvidenceVerdict, recording_verdict, said_findings
from command_center.evidence.verifier import ANCHORS_PATH, KEYS_PATH, RecordingReport, Report, Span

OPERATION = "0a1b2c3d"
JOURNAL = f"proof/journals/{OPERATION}.jsonl"
MANIFEST = "recordings/feed/2026-03-01/one.jsonl"


def report_of(*states: str) -> Report:
    """A report of one recording with spans in these states."""
    spans = [Span(state, number, number + 1, number, number) for number, state in enumerate(states)]
    one = RecordingReport("one", "feed", "node-1", 2, MANIFEST, 0, closed="ended", spans=spans)
    return Report("data", "manifest", recordings=[one])


def told(report: Report, language: str = "zh") -> list[tuple[str, str, int, str]]:
    return [(one.weight, one.words, one.count, one.about) for one in said_findings(report, language, "滨河路执行")]


def test_what_is_broken_stands_first_and_its_cause_before_what_follows() -> None:
    report = report_of("broken")
    report.add("tail-unsigned", JOURNAL, lines=47)
    report.add("time-hole", MANIFEST, since=0, until=1)
    report.add("media-short", "recordings/feed/2026-03-01/one-0001.mp4", number=1, found=1, wanted=2)
    report.add("signer-unknown", f"{ANCHORS_PATH}:3", key="ab")
    report.add("chain-broken", f"{KEYS_PATH}:2")
    found = told(report)
    assert [(weight, about) for weight, _, _, about in found] == [
        ("broken", "proof"), ("broken", "proof"), ("broken", "recording"), ("unproven", "proof"), ("note", "recording"),
    ]  # fmt: skip
    assert found[0][1].startswith("密钥簿：该行与前一行不相衔接")
    assert found[2][1].startswith("第 1 段的文件只有 1 字节")


def test_what_reads_alike_is_told_once_with_its_count() -> None:
    report = report_of("proven")
    for line in range(2, 100):
        report.add("signed-late", f"{ANCHORS_PATH}:{line}")
    for number in range(1, 61):
        report.add("media-missing", f"recordings/feed/one-{number:04}.mp4", number=number)
    found = told(report, "en")
    assert [count for _, _, count, _ in found] == [1] * 50 + [10, 98]
    assert found[50][:2] == ("broken", "More of this kind")
    assert found[51][1].startswith("Anchors: Signed by a key that was retired")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", "行动“滨河路执行”的日志：最近 47 条尚未签署，通常约一分钟内签署；不影响各录像的结论。"),
        ("en", "Journal of the operation 滨河路执行: the last 47 entries aren't signed yet, which usually takes "
               "about a minute. No recording's result depends on it."),
    ],
)  # fmt: skip
def test_a_recording_is_proven_while_its_operations_journal_is_not_signed_yet(language: str, words: str) -> None:
    report = report_of("proven", "deleted")
    report.add("tail-unsigned", JOURNAL, lines=47)
    assert recording_verdict(report) is EvidenceVerdict.WHOLE
    assert told(report, language) == [("unproven", words, 1, "proof")]


@pytest.mark.parametrize("state", ["signed", "anchored", "open", "unproven", "unreadable"])
def test_a_recording_is_not_proven_by_what_others_have(state: str) -> None:
    report = report_of("proven", state)
    report.add("no-anchors", ANCHORS_PATH)
    assert recording_verdict(report) is EvidenceVerdict.UNPROVEN


def test_a_recording_that_is_open_or_unread_or_whose_proof_is_broken_is_not_told_as_proven() -> None:
    is_open, unread, forged = report_of("proven"), Report("data", "manifest"), report_of("proven")
    is_open.add("manifest-open", MANIFEST)
    unread.add("tail-unsigned", JOURNAL, lines=1)
    forged.add("signature-bad", f"{ANCHORS_PATH}:3", key="ab")
    assert recording_verdict(is_open) is EvidenceVerdict.UNPROVEN
    assert recording_verdict(unread) is EvidenceVerdict.UNPROVEN
    assert recording_verdict(forged) is EvidenceVerdict.BROKEN


def test_a_manifest_that_is_gone_is_told_in_plain_words() -> None:
    report = Report("data", "manifest")
    report.add("database-extra", "0a1b2c3d", table="recordings")
    ((weight, words, _, about),) = told(report)
    assert (weight, about) == ("broken", "recording")
    assert "存储中却没有它的清单文件" in words
    assert "recordings" not in words
