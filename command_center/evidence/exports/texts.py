"""The readable part of a package: a report in Chinese on one page that needs nothing else, and a first note.

Everything personal was masked when the plan was made; here it is only laid out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from command_center.clock import SHANGHAI
from command_center.evidence.exports import drawing
from command_center.evidence.exports.originals import Digest
from command_center.evidence.exports.plan import (
    CameraPart,
    DeletionPart,
    EventPart,
    InstructionPart,
    Plan,
    Receipt,
    RecordingPart,
    SpanPart,
)
from command_center.translations import catalogue, translate

LANGUAGE = "zh"
STYLE = """
@page { size: A4; margin: 16mm 14mm; }
* { box-sizing: border-box; }
body { font: 14px/1.6 "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif;
  color: #1a1d21; max-width: 1060px; margin: 24px auto; padding: 0 20px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 28px 0 8px; border-bottom: 2px solid #1a1d21; }
h3 { font-size: 15px; margin: 16px 0 4px; } p { margin: 4px 0; }
table { border-collapse: collapse; width: 100%; margin: 6px 0 12px; }
th, td { border: 1px solid #9aa3ad; padding: 4px 8px; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #eceff2; font-weight: 600; white-space: nowrap; }
thead { display: table-header-group; } tr { break-inside: avoid; }
code, .number { font-family: ui-monospace, Consolas, monospace; font-size: 12px; }
.whole { white-space: nowrap; }
.bar { display: flex; height: 18px; border: 1px solid #1a1d21; margin: 6px 0; print-color-adjust: exact; }
.bar span { display: block; height: 100%; min-width: 1px; }
.covered { background: #2f7d4f; } .none { background: #dde1e6; }
.network, .camera, .officer, .node, .disk_slow, .disk_full, .disk_failed, .missing {
  background: repeating-linear-gradient(45deg, #b3261e 0 4px, #f3c4c1 4px 8px); }
.deleted { background: repeating-linear-gradient(45deg, #4a5563 0 4px, #c3cad2 4px 8px); }
.note { background: #fff6da; border: 1px solid #c9a227; padding: 8px 12px; margin: 10px 0; }
"""


def report(plan: Plan, files: Mapping[str, Digest], signer: str) -> str:
    """The report. `files` are all others of the package, by name; `signer` is the id of the key that signs it."""
    parts = [
        f"<h1>{_say('title')}</h1>",
        _note(plan),
        _facts(plan, signer),
        *(_camera(camera) for camera in plan.cameras),
        _instructions(plan.instructions),
        _events(plan.events),
        _custody(plan),
        _keys(plan),
        _files(files),
        f"<h2>{_say('verify')}</h2>",
        *(f"<p>{line}</p>" for line in _say("verify.how").split("\n")),
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n<title>{_say("title")}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def read_me(plan: Plan, signer: str) -> str:
    """The note, in both languages."""
    texts = [
        translate(
            "export.read-me",
            language,
            court=plan.court,
            operation=plan.name,
            case=plan.case_number,
            since=_clock(plan.wanted.since),
            until=_clock(plan.wanted.until),
            signer=signer,
        )
        for language in ("zh", "en")
    ]
    return "\n\n".join(texts) + "\n"


def _note(plan: Plan) -> str:
    key = "note.masked" if plan.wanted.is_masked else "note.unmasked"
    return f'<p class="note">{_say(key)}</p>'


def _facts(plan: Plan, signer: str) -> str:
    wanted = plan.wanted
    rows = [
        ("court", plan.court),
        ("operation", plan.name),
        ("case", plan.case_number),
        ("sites", "；".join(plan.sites)),
        ("span", f"{_clock(wanted.since)} — {_clock(wanted.until)}"),
        ("purpose", _word(f"purpose.{wanted.purpose}", wanted.purpose)),
        ("made-at", _clock(wanted.at)),
        ("signer", signer),
    ]
    cells = "".join(f"<tr><th>{_say(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _camera(camera: CameraPart) -> str:
    whole = max(1, camera.spans[-1].until - camera.spans[0].since)
    bar = "".join(
        f'<span class="{span.kind}" style="width:{(span.until - span.since) / whole:.4%}" '
        f'title="{escape(_gap(span))}"></span>'
        for span in camera.spans
    )
    rows = [
        (_clock(span.since), _clock(span.until), _seconds(span.until - span.since), escape(_gap(span)))
        for span in camera.spans
    ]
    covered = sum(span.until - span.since for span in camera.spans if span.kind == "covered")
    recordings = [
        (
            f"<code>{part.id}</code>",
            escape(part.node),
            _numbers(segment.number for segment in part.segments),
            _numbers(part.left_out),
            _numbers(part.missing),
            _deleted(part),
        )
        for part in camera.recordings
    ]
    title = escape(f"{camera.site} {camera.officer}".strip())
    return (
        f"<h2>{title}</h2><p><code>{escape(camera.feed)}</code> · {escape(camera.file)}</p>"
        f"<p>{_say('covered', covered=_seconds(covered), whole=_seconds(whole))}</p>"
        f'<div class="bar">{bar}</div>'
        + _unlettered(camera)
        + _table(("from", "to", "length", "state"), rows)
        + _table(("recording", "node", "segments", "left-out", "missing", "deleted"), recordings)
    )


def _unlettered(camera: CameraPart) -> str:
    """What of place and officer stands in the film's letters as a sign for a missing character."""
    found = drawing.unlettered([camera.officer, *(place.name for place in camera.places)])
    if not found:
        return ""
    told = "、".join(f"{one} (U+{ord(one):04X})" for one in found)
    return f"<p>{_say('unlettered', count=len(found), sign=drawing.STAND_IN, characters=told)}</p>"


def _instructions(instructions: Sequence[InstructionPart]) -> str:
    rows = [
        (
            str(one.number),
            _clock(one.at),
            escape(_word(f"priority.{one.priority}", one.priority)),
            f"{escape(one.sender)} → {escape(one.target)}",
            escape(one.text),
            "<br>".join(_receipt(each) for each in one.receipts),
        )
        for one in instructions
    ]
    return f"<h2>{_say('instructions')}</h2>" + _table(("number", "at", "priority", "who", "text", "receipts"), rows)


def _receipt(one: Receipt) -> str:
    steps = [
        ("sent", one.sent_at),
        ("delivered", one.delivered_at),
        ("seen", one.seen_at),
        (one.state if one.state in {"accepted", "refused"} else "answered", one.answered_at),
        ("done", one.done_at),
        ("escalated", one.escalated_at),
    ]
    told = " · ".join(f"{_word(f'export.step.{name}', name)} {_clock(at)[11:]}" for name, at in steps if at is not None)
    reason = f"（{escape(one.reason)}）" if one.reason else ""
    return f"{escape(one.officer)}：{told}{reason}"


def _events(events: Sequence[EventPart]) -> str:
    rows = [
        (
            str(one.id),
            _clock(one.at),
            escape(_word(f"export.kind.{one.kind}", one.kind)),
            "；".join(f"{escape(name)}：{escape(value)}" for name, value in one.facts),
            _say("withheld") if one.is_withheld else _say("included"),
        )
        for one in events
    ]
    return f"<h2>{_say('events')}</h2>" + _table(("entry", "at", "kind", "text", "body"), rows)


def _custody(plan: Plan) -> str:
    rows = [
        (str(one.sequence), _clock(one.at), escape(one.who), escape(one.action), escape(one.purpose),
         f"<code>{escape(one.subject)}</code>")
        for one in plan.custody
    ]  # fmt: skip
    return f"<h2>{_say('custody')}</h2><p>{_say('custody.note')}</p>" + _table(
        ("entry", "at", "person", "action", "purpose", "subject"), rows
    )


def _keys(plan: Plan) -> str:
    rows = [(f"<code>{one.id}</code>", escape(one.owner), _clock(one.at)) for one in plan.keys]
    return f"<h2>{_say('keys')}</h2><p>{_say('keys.note')}</p>" + _table(("key", "owner", "at"), rows)


def _files(files: Mapping[str, Digest]) -> str:
    rows = [
        (escape(name), f'<span class="whole">{digest.bytes}</span>', f"<code>{digest.sha256}</code>")
        for name, digest in sorted(files.items())
    ]
    return f"<h2>{_say('files')}</h2><p>{_say('files.note')}</p>" + _table(("file", "bytes", "sha256"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return f"<p>{_say('nothing')}</p>"
    head = "".join(f"<th>{_say(f'head.{name}')}</th>" for name in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _gap(span: SpanPart) -> str:
    words = translate(f"export.span.{span.kind}", LANGUAGE)
    return words if span.deletion is None else f"{words}：{_deciders(span.deletion)}"


def _deciders(deletion: DeletionPart) -> str:
    return translate(
        "export.card.deleted",
        LANGUAGE,
        at=_clock(deletion.at),
        proposed=deletion.proposed_by,
        approved=deletion.approved_by,
    )


def _deleted(part: RecordingPart) -> str:
    if part.deletion is None:
        return _numbers(())
    return f"{_numbers(part.deleted)}<br><code>{part.deletion.tombstone}</code>"


def _numbers(numbers: Iterable[int]) -> str:
    return "、".join(map(str, numbers)) or "—"


def _say(name: str, **parameters: object) -> str:
    return escape(translate(f"export.report.{name}", LANGUAGE, **parameters))


def _word(key: str, otherwise: str) -> str:
    return translate(key, LANGUAGE) if key in catalogue(LANGUAGE) else otherwise


def _clock(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(SHANGHAI)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{at % 1000:03}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"
