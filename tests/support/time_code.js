// Time as black and white blocks in a picture: the low 32 bits of the clock's milliseconds (and their complement's
// parity), 8 blocks a row, big enough to survive the encoder. Used on both ends of a glass-to-glass measurement.
const COLUMNS = 8;
const ROWS = 4;

function now() {
  return Math.round(performance.timeOrigin + performance.now());
}

export function draw(context, width, height) {
  const value = now() % 2 ** 31;
  const [w, h] = [width / COLUMNS, height / 2 / ROWS];
  for (let bit = 0; bit < COLUMNS * ROWS; bit += 1) {
    const one = bit === 31 ? parity(value) : (value >>> bit) & 1;
    context.fillStyle = one ? "#fff" : "#000";
    context.fillRect((bit % COLUMNS) * w, Math.floor(bit / COLUMNS) * h, w, h);
  }
}

function parity(value) {
  let ones = 0;
  for (let bit = 0; bit < 31; bit += 1) ones += (value >>> bit) & 1;
  return ones & 1;
}

// Read a time code from a video's current frame; null where the parity is wrong or a block is neither black nor white.
export function read(video, canvas) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  canvas.width = COLUMNS * 4;
  canvas.height = ROWS * 4 * 2;
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let value = 0;
  let check = 0;
  for (let bit = 0; bit < COLUMNS * ROWS; bit += 1) {
    const x = (bit % COLUMNS) * 4 + 2;
    const y = Math.floor(bit / COLUMNS) * 4 + 2;
    const level = pixels[(y * canvas.width + x) * 4];
    if (level > 90 && level < 165) return null;
    const one = level >= 165 ? 1 : 0;
    if (bit === 31) check = one;
    else value += one * 2 ** bit;
  }
  return check === parity(value) ? value : null;
}

// Publish a moving picture that carries the time code, 1280x720 at 30 a second, through WHIP.
export async function publish(url, token) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const context = canvas.getContext("2d");
  context.fillStyle = "#333";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const timer = setInterval(() => {
    draw(context, canvas.width, canvas.height);
    context.fillStyle = `hsl(${(now() / 20) % 360} 60% 50%)`;
    context.fillRect(((now() / 4) % 1200), 500, 80, 120);
  }, 1000 / 30);
  const connection = new RTCPeerConnection({ iceServers: [] });
  const [track] = canvas.captureStream(30).getVideoTracks();
  track.contentHint = "motion";
  connection.addTransceiver(track, { direction: "sendonly", sendEncodings: [{ maxBitrate: 2_500_000 }] });
  await connection.setLocalDescription();
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
    body: connection.localDescription.sdp,
  });
  if (answer.status !== 201) throw new Error(`WHIP answered ${answer.status}`);
  await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  window.publisher = { connection, timer, canvas };
}

// Gather `count` glass-to-glass delays in milliseconds from a playing video.
export function measure(video, count, seconds) {
  const canvas = document.createElement("canvas");
  const delays = [];
  let unreadable = 0;
  const deadline = performance.now() + seconds * 1000;
  return new Promise((resolve) => {
    const frame = () => {
      const drawn = read(video, canvas);
      if (drawn === null) unreadable += 1;
      else delays.push((now() % 2 ** 31) - drawn);
      if (delays.length >= count || performance.now() > deadline) resolve({ delays, unreadable });
      else video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  });
}
