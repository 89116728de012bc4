// libdatachannel plays one feed and publishes what it gets as another: `node libdatachannel.js WHEP WHIP TOKEN`.

import datachannel from "node-datachannel";

import { exchange, tell } from "./exchange.js";

const [whep, whip, token] = process.argv.slice(2);
const SSRC = 4711;
const VP8 = 96;

/** A peer with one video line; resolves with {peer, track, end} once the answer is taken. */
async function open(direction, url) {
  const peer = new datachannel.PeerConnection(direction, { iceServers: [] });
  const video = new datachannel.Video("0", direction);
  video.addVP8Codec(VP8);
  if (direction === "SendOnly") video.addSSRC(SSRC, "independent", "stream", "video");
  const track = peer.addTrack(video);
  // It answers reports, and is what asks for key frames.
  if (direction === "RecvOnly") track.setMediaHandler(new datachannel.RtcpReceivingSession());
  const gathered = new Promise((resolve) => peer.onGatheringStateChange((state) => state === "complete" && resolve()));
  peer.onStateChange((state) => tell({ direction, state }));
  peer.setLocalDescription();
  await gathered;
  const { answer, end } = await exchange(url, token, peer.localDescription().sdp);
  peer.setRemoteDescription(answer, "answer");
  return { peer, track, end };
}

const player = await open("RecvOnly", whep);
const publisher = await open("SendOnly", whip);
let packets = 0;
player.track.onMessage((packet) => {
  const isReport = packet[1] >= 192 && packet[1] < 224;
  if (isReport || !publisher.track.isOpen()) return;
  packet[1] = (packet[1] & 0x80) | VP8;
  packet.writeUInt32BE(SSRC, 8);
  publisher.track.sendMessageBinary(packet);
  if (++packets % 10 === 0) tell({ packets });
});
// What is asked of the copy is asked of the original.
const asking = setInterval(() => player.track.requestKeyframe(), 1000);
process.once("SIGTERM", async () => {
  clearInterval(asking);
  await Promise.all([player.end(), publisher.end()]);
  player.peer.close();
  publisher.peer.close();
  datachannel.cleanup();
  process.exit(0);
});
