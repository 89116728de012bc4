// What an ICE restart says and hears (RFC 9725 §4.3, RFC 8840): a fragment of SDP each way.

const CREDENTIALS = /^a=ice-(ufrag|pwd):.*$/gm;

/** The fragment that tells the node of our new credentials. */
export function restartFragment(sdp) {
  const credentials = [...new Set(sdp.match(CREDENTIALS))];
  const media = sdp.match(/^m=.*$/m)[0];
  const mid = sdp.match(/^a=mid:.*$/m)[0];
  return [...credentials, media, mid, ""].join("\r\n");
}

/** The node's description as it was, with the credentials and candidates that its fragment gives. */
export function restarted(sdp, fragment) {
  const found = Object.fromEntries([...fragment.matchAll(/^a=ice-(ufrag|pwd):(\S+)/gm)].map(([, name, value]) => [name, value]));
  if (!found.ufrag || !found.pwd) throw new SyntaxError("a restart without credentials");
  const candidates = fragment.match(/^a=candidate:.*$/gm) ?? [];
  const renewed = sdp.replace(/^a=ice-(ufrag|pwd):\S+/gm, (line, name) => `a=ice-${name}:${found[name]}`);
  if (!candidates.length) return renewed;
  const without = renewed.replace(/^a=candidate:.*\r?\n/gm, "");
  return without.replace(/^(a=ice-pwd:.*)$/m, [`$1`, ...candidates].join("\r\n"));
}
