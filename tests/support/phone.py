"""An officer's phone: the real page in a real Chromium with a camera and a position of its own."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Browser, BrowserContext, Page

from tests.support.browser import Watched
from tests.support.installation import Installation
from tests.support.relay import Relay

CAMERA_SWITCH = """(() => {
    const take = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let isTaken = false;
    window.asked = 0;
    navigator.mediaDevices.getUserMedia = (wanted) => {
        window.asked += 1;
        return isTaken ? Promise.reject(new DOMException('in use', 'NotReadableError')) : take(wanted);
    };
    window.takeCamera = () => {
        isTaken = true;
        const track = document.querySelector('#preview').srcObject.getVideoTracks()[0];
        track.stop();
        track.dispatchEvent(new Event('ended'));
    };
    window.giveCamera = () => { isTaken = false; };
})()"""
DEVICE_NAME = "if (location.protocol.startsWith('http')) localStorage.setItem('field-device', '%s');"
HUIMIN = {"latitude": 40.815, "longitude": 111.62, "accuracy": 8.0}


@dataclass
class Phone:
    """The page of one officer."""

    context: BrowserContext
    page: Page
    watched: Watched
    relay: Relay | None = None
    taps: int = 0

    async def go_live(self, site: int = 0) -> None:
        """The taps after sign-in: the site, the permission, live; they are counted."""
        await self._tap(f"#site-list button >> nth={site}")
        await self._tap("#allow")
        await self._tap("#go-live")

    async def strip(self) -> tuple[str, str]:
        """The state strip's phase and reason."""
        strip = self.page.locator("#strip")
        return (await strip.get_attribute("data-phase") or "", await strip.get_attribute("data-reason") or "")

    async def accept_all(self, count: int) -> list[str]:
        """Answer `count` instructions one after another as they stand on the screen; their texts, as shown."""
        shown: list[str] = []
        for _ in range(count):
            card = self.page.locator("#cards article.instruction")
            await card.wait_for(timeout=10_000)
            delivery = await card.get_attribute("data-delivery")
            shown.append(await card.locator(".text").inner_text())
            await card.locator("button.accept").click()
            await self.page.locator(f"#cards article.instruction[data-delivery='{delivery}']").wait_for(
                state="detached"
            )
        return shown

    async def stop(self) -> None:
        """The officer ends the picture, and confirms it where the page asks."""
        await self.page.click("#stop")
        if await self.page.locator("#confirm-yes").is_visible():
            await self.page.click("#confirm-yes")

    async def take_camera_away(self) -> None:
        """What a phone's system does at a call: the camera's track ends, and the camera is in use elsewhere."""
        await self.page.evaluate("takeCamera()")

    async def give_camera_back(self) -> None:
        """The camera may be used again."""
        await self.page.evaluate("giveCamera()")

    async def cut_network(self) -> None:
        """No packet in or out: neither pages and sockets nor media (of a phone that was opened to be cut)."""
        assert self.relay is not None, "open the phone with `can_be_cut`"
        self.relay.is_cut = True
        await self.context.set_offline(True)

    async def mend_network(self) -> None:
        """The network is as before."""
        assert self.relay is not None
        self.relay.is_cut = False
        await self.context.set_offline(False)

    async def move(self, latitude: float, longitude: float) -> None:
        """Be somewhere else."""
        await self.context.set_geolocation({"latitude": latitude, "longitude": longitude, "accuracy": 5.0})

    async def _tap(self, selector: str) -> None:
        await self.page.locator(selector).click()
        self.taps += 1


async def open_phone(
    browser: Browser,
    stack: Installation,
    username: str = "officer6",
    *,
    can_be_cut: bool = False,
    device: str = "phone-test",
    relay: Relay | None = None,
    script: str = "",
) -> Phone:
    """Open the page at a phone's size and sign in, up to the choice of the site.

    With `can_be_cut` its media takes a relay, since the browser's own "offline" doesn't reach media; or it takes the
    `relay` that is given. A phone of the same `device` name is the same phone again, with the same feed. `script` runs
    before the page's own.
    """
    context = await browser.new_context(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        locale="zh-CN",
        geolocation=HUIMIN,
        permissions=["geolocation", "camera", "microphone"],
    )
    await context.add_init_script(CAMERA_SWITCH)
    await context.add_init_script(DEVICE_NAME % device)
    if script:
        await context.add_init_script(script)
    if relay is not None:
        await context.add_init_script(relay.script)
    elif can_be_cut:
        relay = await _own_relay(context, stack)
    page = await context.new_page()
    watched = Watched()
    watched.watch(page)
    account = next(each for each in stack.accounts("officer") if each["username"] == username)
    await page.goto(f"{stack.url}/field")
    await page.fill("#username", account["username"])
    await page.fill("#password", account["password"])
    await page.click("#sign-in")
    await page.wait_for_selector("#site-list button")
    return Phone(context, page, watched, relay)


async def _own_relay(context: BrowserContext, stack: Installation) -> Relay:
    relay = Relay(("127.0.0.1", stack.media_port))
    await relay.open()
    context.on("close", relay.close)
    await context.add_init_script(relay.script)
    return relay
