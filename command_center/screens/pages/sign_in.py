"""The page to sign in at: plain HTML and one script, since nobody is known yet."""

from __future__ import annotations

from html import escape

from command_center.screens.shell import Installation
from command_center.translations import LANGUAGES, Language, translate

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>{title} · {product}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/theme.css">
<link rel="stylesheet" href="/static/entry.css">
<script type="module" src="/static/{script}.js"></script>
</head>
<body>
<main class="entry">
<p class="entry-court">{court}</p>
<h1>{product}</h1>
{demonstration}
{form}
<p class="entry-languages">{languages}</p>
</main>
</body>
</html>
"""

_FORM = """<form id="sign-in" method="post" novalidate>
<p class="entry-news" id="news" role="alert"></p>
<label>{username}<input name="username" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="64" required autofocus></label>
<label>{password}<input name="password" type="password" autocomplete="current-password"
 maxlength="1024" required></label>
<label id="code-row" hidden>{code}<input name="code" inputmode="numeric"
 autocomplete="one-time-code" maxlength="8"></label>
<button class="primary" type="submit" disabled>{send}</button>
</form>"""
"""Its script alone sends it, and lets the button go: a browser itself would put the password into the address."""

_LANGUAGE_NAMES: dict[Language, str] = {"zh": "中文", "en": "English"}


def sign_in_page(installation: Installation, language: Language) -> str:
    """The page in one language."""

    def words(key: str) -> str:
        return escape(translate(key, language))

    form = _FORM.format(
        username=words("sign-in.username"),
        password=words("sign-in.password"),
        code=words("sign-in.code"),
        send=words("sign-in.send"),
    )
    return entry_page(installation, language, title=words("page.sign-in"), script="sign_in", form=form)


def entry_page(installation: Installation, language: Language, *, title: str, script: str, form: str) -> str:
    """The frame of a page for somebody who isn't signed in; `form` is HTML."""
    court = installation.court_name_en if language == "en" else installation.court_name_zh
    badge = f'<span class="badge-demonstration">{escape(translate("demonstration.badge", language))}</span>'
    note = f"<p>{escape(translate('demonstration.note', language))}</p>"
    return _PAGE.format(
        language=language,
        title=title,
        product=escape(translate("product.name", language)),
        court=escape(court),
        script=script,
        demonstration=f'<div class="entry-demonstration">{badge}{note}</div>' if installation.demonstration else "",
        form=form,
        languages=" · ".join(_language_link(each, language) for each in LANGUAGES),
    )


def _language_link(each: Language, present: Language) -> str:
    name = _LANGUAGE_NAMES[each]
    if each == present:
        return f'<span aria-current="true">{name}</span>'
    return f'<a href="?language={each}" data-language="{each}" lang="{each}">{name}</a>'
