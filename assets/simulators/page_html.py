"""The control page as HTML: one document with a form for each thing that can be set, and nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from assets.kinds import kinds
from assets.simulators.manners import KINDS
from assets.simulators.people import everybody
from assets.wire import yuan

STYLE = """
:root { color-scheme: dark; }
body { margin: 0 auto; max-width: 1180px; padding: 20px; background: #101722; color: #dfe7f1;
  font: 15px/1.5 system-ui, "Noto Sans SC", "Microsoft YaHei", sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; }
h1 { font-size: 21px; margin: 0; } h2 { font-size: 16px; margin: 0 0 10px; }
p { margin: 4px 0 16px; color: #9fb0c4; } header a { margin-left: auto; }
.warn { color: #ffd27a; } a { color: #8ec5ff; }
section { background: #172131; border: 1px solid #2a3a50; border-radius: 6px; padding: 14px; margin: 0 0 14px;
  overflow-x: auto; }
form { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: end; margin: 0; }
label { display: grid; gap: 3px; color: #9fb0c4; font-size: 13px; }
input, select, button { font: inherit; color: inherit; background: #0d1420; border: 1px solid #3a4d68;
  border-radius: 4px; padding: 5px 8px; min-width: 0; max-width: 100%; } input[type=number] { width: 9em; }
button { background: #24507f; border-color: #3d74ad; cursor: pointer; } button:hover { background: #2d639c; }
:focus-visible { outline: 2px solid #8ec5ff; outline-offset: 1px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; } th { color: #9fb0c4; font-weight: 500; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid #22304a;
  white-space: nowrap; }
ul { list-style: none; margin: 0 0 12px; padding: 0; }
li { display: flex; gap: 12px; align-items: center; padding: 3px 0; }
"""
SHOWN = 60
"""How many requests the page lists, newest first."""


@cache
def words(language: str) -> dict[str, str]:
    """The page's words."""
    text = (Path(__file__).parent / "words.json").read_text(encoding="utf-8")
    said: dict[str, str] = json.loads(text)[language]
    return said


def page(state: dict[str, Any], controls: list[dict[str, Any]], language: str) -> str:
    """The whole page; whatever comes from outside is escaped."""
    say = words(language)
    other = "en" if language == "zh" else "zh"
    kind = kinds().get(state["service"])
    title = f"{say['title']} · {escape(kind.names[language] if kind else state['service'])}"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f'<header><h1>{title}</h1><span class="warn">{say["fictional"]}</span>'
        f'<a href="/?lang={other}" lang="{other}">{say["language"]}</a></header>'
        f"<p>{say['today']} {escape(state['today'])}</p><main>"
        f"{_section(say['behave'], _picked(state, say, language) + _manner_form(say, language))}"
        f"{_section(say['settings'], _settings_form(state, say, language))}"
        f"{_section(say['book'], _controls(controls, state['held_by_others'], say, language))}"
        f"{_section(say['asked'], _asked(state['asked'], say))}</main></body></html>"
    )


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{title}</h2>{inner}</section>"


def _form(action: str, language: str, inner: str) -> str:
    return f'<form method="post" action="/{action}?lang={language}">{inner}</form>'


def _manner_form(say: dict[str, str], language: str) -> str:
    manners = "".join(f'<option value="{kind}">{say[f"manner.{kind}"]}</option>' for kind in KINDS)
    persons = "".join(
        f'<option value="{escape(one.id_number)}">{escape(one.name)} {escape(one.id_number[-4:])}</option>'
        for one in everybody().values()
    )
    return _form(
        "behave",
        language,
        f'<label>{say["manner"]}<select name="kind">{manners}</select></label>'
        f'<label>{say["person"]}<select name="person"><option value="">{say["everybody"]}</option>{persons}</select>'
        f"</label>{_number('requests', say['requests'], 1, '')}{_number('times', say['times'], 1, '')}"
        f'<label>{say["reason"]}<input name="reason" maxlength="200"></label><button>{say["pick"]}</button>',
    )


def _picked(state: dict[str, Any], say: dict[str, str], language: str) -> str:
    rows = "".join(_rule(rule, say, language) for rule in state["picked"])
    return f"<ul>{rows or '<li>' + say['none'] + '</li>'}</ul>"


def _rule(rule: dict[str, Any], say: dict[str, str], language: str) -> str:
    person = everybody().get(rule["person"])
    about = person.name if person else rule["person"] or say["everybody"]
    limits = [f"{say[name]} {rule[name]}" for name in ("requests", "times") if rule[name] is not None]
    text = " · ".join([about, say[f"manner.{rule['kind']}"], *limits, *filter(None, [rule["reason"]])])
    back = f'<input type="hidden" name="person" value="{escape(rule["person"])}"><button>{say["take-back"]}</button>'
    return f"<li>{escape(text)}{_form('behave', language, back)}</li>"


def _settings_form(state: dict[str, Any], say: dict[str, str], language: str) -> str:
    return _form(
        "change",
        language,
        _number("seed", say["seed"], 0, state["seed"])
        + _number("delay_seconds", say["delay"], 0, state["delay_seconds"], "any")
        + _number("most_seconds", say["most"], 0, state["most_seconds"], "any")
        + _number("days_ahead", say["days"], 0, state["days_ahead"])
        + f"<button>{say['save']}</button>",
    )


def _number(name: str, label: str, least: int, value: object, step: str = "1") -> str:
    return (
        f'<label>{label}<input type="number" name="{name}" min="{least}" step="{step}" value="{escape(str(value))}">'
        "</label>"
    )


def _controls(controls: list[dict[str, Any]], held: list[str], say: dict[str, str], language: str) -> str:
    rows = [
        [
            one["number"],
            one["reference"],
            f"{one['court']} {one['case_number']}",
            say[f"state.{one['state']}"],
            str(one["rank"] or ""),
            yuan(one["cents"]) if one["cents"] else "",
            one["until"],
        ]
        for one in reversed(controls[-SHOWN:])
    ]
    heads = [say[name] for name in ("number", "reference", "court", "state", "rank", "cents", "until")]
    options = "".join(f"<option>{escape(reference)}</option>" for reference in held)
    pick = f'<label>{say["reference"]}<select name="reference">{options}</select></label>'
    release = _form("release", language, f"{pick}<button>{say['release']}</button>") if held else ""
    return _table(heads, rows, say) + release


def _asked(asked: list[dict[str, Any]], say: dict[str, str]) -> str:
    rows = [
        [
            _moment(one["at"]),
            one["service"],
            one["number"],
            one["person_end"],
            say[f"manner.{one['manner']}"],
            str(one["times"]),
        ]
        for one in asked[:SHOWN]
    ]
    return _table([say[name] for name in ("at", "service", "number", "about", "manner", "count")], rows, say)


def _moment(at: str) -> str:
    return f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[8:10]}:{at[10:12]}:{at[12:]}"


def _table(heads: Iterable[str], rows: list[list[str]], say: dict[str, str]) -> str:
    if not rows:
        return f"<p>{say['nothing']}</p>"
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
