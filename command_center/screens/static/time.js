// Times as the court reads them: 24 hours, Asia/Shanghai, by the server's clock.

const clockFormat = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const dayFormat = new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short" });

let offsetMs = 0;

/** Take the server's clock for ours; called with each snapshot. */
export function setServerTime(serverMs) {
  offsetMs = serverMs - Date.now();
}

/** Now, Unix ms, by the server's clock. */
export const now = () => Date.now() + offsetMs;

export const clock = (ms) => clockFormat.format(ms);
export const day = (ms) => dayFormat.format(ms);

/** An instant as the server tells it, to the minute; a dash where there is none. */
export function minute(text) {
  if (!text) return "–";
  const at = Date.parse(text);
  return `${day(at)} ${clock(at).slice(0, 5)}`;
}

/** A span as `m:ss` (or `h:mm:ss`). */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
