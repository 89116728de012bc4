"""The errors of the asset domain; each carries a code and parameters, words are made at the edge.

AssetsError
├── NotPermitted            the actor may not do this
├── NotFound                no such case, person, asset or request in the actor's courts
├── NotUnderEnforcement     the person isn't the one under enforcement in this case
├── BadFormat               a number or amount can't be what it claims to be
├── RulingMissing           a control without the number of its ruling
├── PaperTampered           a paper isn't the one that was sealed; it isn't sent
├── Conflict                the state of the thing doesn't allow this now
│   ├── IllegalTransition   a state machine was asked for a step that it doesn't have
│   └── PostingRefused      a posting would break the books; nothing was posted
└── GatewayTrouble          a bank's or a registry's answer can't be used; `gateway` names it
    ├── GatewayRefused          it answered no; `reason` holds its words
    ├── GatewayObjected         it did nothing and objects; the court has to answer
    ├── GatewayAccepted         it has taken the request in and answers later
    ├── GatewayUnreachable      no answer in time; the outcome is unknown
    ├── GatewayBusy             nothing was sent: it is asked too often, or rests after failures
    ├── GatewayBroke            it answered with an error of its own (5xx)
    └── GatewayAnsweredGarbage  it answered something that isn't an answer to this request
"""

from __future__ import annotations


class AssetsError(Exception):
    """A refusal with a stable `code` and its parameters."""

    def __init__(self, code: str, **parameters: str | int) -> None:
        super().__init__(f"{code} {parameters}" if parameters else code)
        self.code = code
        self.parameters = parameters


class NotPermitted(AssetsError):
    """The actor may not do this."""


class NotFound(AssetsError):
    """There is no such thing, or none that the actor's courts may know of."""


class NotUnderEnforcement(AssetsError):
    """Only the person under enforcement may be queried. Source: 法释〔2013〕20号 §7."""


class BadFormat(AssetsError):
    """A number or an amount can't be what it claims to be: `item` says which, `why` says what is wrong."""

    def __init__(self, item: str, why: str) -> None:
        super().__init__("bad-format", item=item, why=why)
        self.item = item
        self.why = why


class RulingMissing(AssetsError):
    """A control can't be sent without its ruling. Source: 法释〔2013〕20号 §3."""


class PaperTampered(AssetsError):
    """A paper isn't the one that was sealed: `document` says which, `why` what doesn't agree."""

    def __init__(self, document: str, why: str) -> None:
        super().__init__("paper-tampered", document=document, why=why)


class Conflict(AssetsError):
    """The state of the thing doesn't allow this now."""


class IllegalTransition(Conflict):
    """A state machine was asked for a step that it doesn't have."""

    def __init__(self, subject: object, old: str, new: str) -> None:
        super().__init__("illegal-transition", subject=str(subject), old=old, new=new)


class PostingRefused(Conflict):
    """A posting would break the books of a court's money, so nothing was posted; `why` says what is wrong with it."""

    def __init__(self, why: str) -> None:
        super().__init__("posting-refused", why=why)
        self.why = why


class GatewayTrouble(AssetsError):
    """A bank's or a registry's answer can't be used."""

    code_word = "gateway-trouble"

    def __init__(self, gateway: str, reason: str = "") -> None:
        super().__init__(self.code_word, gateway=gateway, reason=reason)
        self.gateway = gateway
        self.reason = reason


class GatewayRefused(GatewayTrouble):
    """It answered no; `reason` holds its words."""

    code_word = "gateway-refused"


class GatewayObjected(GatewayTrouble):
    """It did nothing and objects; `reason` holds its words. Source: 法释〔2013〕20号 §6."""

    code_word = "gateway-objected"


class GatewayAccepted(GatewayTrouble):
    """It has taken the request in and answers later."""

    code_word = "gateway-accepted"


class GatewayBusy(GatewayTrouble):
    """Nothing was sent: it is asked too often, or rests after failures; `seconds` says for how long."""

    code_word = "gateway-busy"

    def __init__(self, gateway: str, seconds: float, reason: str = "") -> None:
        super().__init__(gateway, reason)
        self.seconds = seconds


class GatewayUnreachable(GatewayTrouble):
    """No answer in time; whether it acted is unknown."""

    code_word = "gateway-unreachable"


class GatewayBroke(GatewayTrouble):
    """It answered with an error of its own."""

    code_word = "gateway-broke"


class GatewayAnsweredGarbage(GatewayTrouble):
    """What came back isn't an answer to this request."""

    code_word = "gateway-answered-garbage"
