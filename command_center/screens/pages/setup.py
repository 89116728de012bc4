"""The page behind the one-time link that `make serve` prints: it makes the first administrator."""

from __future__ import annotations

from html import escape

from command_center.screens.pages.sign_in import entry_page
from command_center.screens.shell import Installation
from command_center.translations import Language, translate

_FORM = """<form id="setup" method="post" novalidate>
<p class="entry-note">{note}</p>
<p class="entry-news" id="news" role="alert"></p>
<label>{username}<input name="username" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="64" required autofocus></label>
<label>{name}<input name="display_name" autocomplete="name" maxlength="100" required></label>
<label>{password}<input name="password" type="password" autocomplete="new-password" maxlength="1024" required></label>
<label>{again}<input name="again" type="password" autocomplete="new-password" maxlength="1024" required></label>
<button class="primary" type="submit" disabled>{send}</button>
</form>"""


def setup_page(installation: Installation, language: Language, *, is_open: bool) -> str:
    """The form, or the word that the link is over."""

    def words(key: str) -> str:
        return escape(translate(key, language))

    if is_open:
        form = _FORM.format(
            note=words("setup.note"),
            username=words("sign-in.username"),
            name=words("setup.name"),
            password=words("sign-in.password"),
            again=words("setup.again"),
            send=words("setup.send"),
        )
    else:
        form = f'<p class="entry-note">{words("setup.over")}</p><p><a href="/sign-in">{words("page.sign-in")}</a></p>'
    return entry_page(installation, language, title=words("page.setup"), script="setup", form=form)
