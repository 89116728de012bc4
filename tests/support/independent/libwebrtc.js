// libwebrtc outside any browser: `node libwebrtc.js publish|play URL TOKEN` until it is told to end (SIGTERM).

import wrtc from "@roamhq/wrtc";

import { exchange, tell } from "./exchange.js";

const [task, url, token] = process.argv.slice(2);
const WIDTH = 320;
const HEIGHT = 180;
const peer = new wrtc.RTCPeerConnection({ iceServers: [] });
let beat = null;

/** A picture whose brightness moves with its number. */
function picture(number) {
  const data = new Uint8ClampedArray(WIDTH * HEIGHT * 1.5).fill(128);
  for (let row = 0; row < HEIGHT; row++) data.fill((row + number * 4) % 220, row * WIDTH, (row + 1) * WIDTH);
  return { width: WIDTH, height: HEIGHT, data };
}

if (task === "publish") {
  const source = new wrtc.nonstandard.RTCVideoSource();
  peer.addTransceiver(source.createTrack(), { direction: "sendonly" });
  let number = 0;
  beat = setInterval(() => source.onFrame(picture(number++)), 66);
} else {
  peer.addTransceiver("video", { direction: "recvonly" });
  let frames = 0;
  peer.ontrack = ({ track }) => {
    const sink = new wrtc.nonstandard.RTCVideoSink(track);
    sink.onframe = ({ frame }) => tell({ frames: ++frames, width: frame.width, height: frame.height });
  };
}
peer.onconnectionstatechange = () => tell({ state: peer.connectionState });
await peer.setLocalDescription(await peer.createOffer());
const { answer, end } = await exchange(url, token, peer.localDescription.sdp);
await peer.setRemoteDescription({ type: "answer", sdp: answer });
process.once("SIGTERM", async () => {
  clearInterval(beat);
  await end();
  peer.close();
  process.exit(0);
});
