"""A tone in place of a voice: what a page's microphone gives, and an ear that finds it in what another receives."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page

MICROPHONE = """(() => {
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        window.askedFor = wanted;
        const context = new AudioContext({sampleRate: 48000});
        const tone = context.createOscillator();
        tone.frequency.value = 1000;
        const out = context.createMediaStreamDestination();
        tone.connect(out);
        tone.start();
        return out.stream;
    };
    for (const type of ['keydown', 'keyup']) {
        addEventListener(type, (event) => {
            if (event.key.toLowerCase() !== 't' || event.repeat) return;
            window[type + 'At'] = performance.timeOrigin + event.timeStamp;
        }, true);
    }
})()"""
"""Runs before a page's own scripts: its microphone hears 1 kHz; `keydownAt` is when the key went down (Unix ms)."""

EAR = """(() => {
    const Plain = RTCPeerConnection;
    window.ears = [];
    window.RTCPeerConnection = class extends Plain {
        constructor(...given) {
            super(...given);
            this.addEventListener('track', ({track}) => {
                if (track.kind === 'audio') window.ears.push(listen(this, track));
            });
        }
    };
    function listen(peer, track) {
        const context = new AudioContext({sampleRate: 48000});
        const analyser = context.createAnalyser();
        analyser.fftSize = 1024;
        context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        const ear = {peer, heardAt: null, lastAt: null};
        const samples = new Float32Array(analyser.fftSize);
        setInterval(() => {
            analyser.getFloatTimeDomainData(samples);
            // Goertzel at 1 kHz over the newest 5 ms, against all that is there.
            const part = samples.subarray(samples.length - 240);
            const turn = 2 * Math.cos(2 * Math.PI * 1000 / 48000);
            let one = 0, two = 0, energy = 0;
            for (const sample of part) {
                [one, two] = [sample + turn * one - two, one];
                energy += sample * sample;
            }
            const tone = (one * one + two * two - turn * one * two) / (part.length / 2);
            if (energy / part.length > 1e-4 && tone > 0.7 * energy) {
                ear.lastAt = performance.timeOrigin + performance.now();
                ear.heardAt ??= ear.lastAt;
            }
        }, 4);
        return ear;
    }
    window.packetsHeard = async () => {
        let packets = 0;
        for (const {peer} of window.ears) {
            for (const one of (await peer.getStats()).values()) {
                if (one.type === 'inbound-rtp') packets += one.packetsReceived;
            }
        }
        return packets;
    };
})()"""
"""Runs before a page's own scripts: notes when the tone is first and last heard in a received track (Unix ms)."""


async def heard_at(page: Page) -> float | None:
    """When the tone was first heard since `forget`, Unix ms."""
    moment: Any = await page.evaluate("Math.min(...ears.map((ear) => ear.heardAt ?? Infinity))")
    return None if moment in (None, float("inf")) else float(moment)


async def forget(page: Page) -> None:
    """Listen anew."""
    await page.evaluate("for (const ear of ears) ear.heardAt = null")


async def is_quiet(page: Page, seconds: float) -> bool:
    """Whether the tone wasn't heard for so long."""
    now_ms = "performance.timeOrigin + performance.now()"
    silence = await page.evaluate(f"{now_ms} - Math.max(...ears.map((ear) => ear.lastAt ?? 0))")
    return float(silence) > seconds * 1000


async def packets_heard(page: Page) -> int:
    """How many packets of sound the page has received."""
    return int(await page.evaluate("packetsHeard()"))
