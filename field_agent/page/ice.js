// A new way for a session that stands: an ICE restart by PATCH (RFC 9725 §4.3.3), without a new offer or a new key.

export const FRAGMENT = "application/trickle-ice-sdpfrag";

/** The new credentials of our own description, as the fragment to send. */
export function fragmentOf(sdp) {
  const line = (start) => sdp.match(new RegExp(`^${start}.*$`, "m"))[0].trim();
  return `${[line("a=ice-ufrag:"), line("a=ice-pwd:"), line("m="), line("a=mid:")].join("\r\n")}\r\n`;
}

/** The node's description with the credentials and candidates that its fragment names. */
export function renewed(sdp, fragment) {
  const lines = fragment.split(/\r?\n/);
  const own = (start) => lines.filter((line) => line.startsWith(start));
  const credentials = [...own("a=ice-ufrag:").slice(0, 1), ...own("a=ice-pwd:").slice(0, 1)];
  if (credentials.length < 2) throw new Error("ice-fragment");
  const news = [...credentials, ...own("a=candidate:"), ...own("a=end-of-candidates")].join("\r\n");
  return sdp
    .replace(/^a=(ice-pwd|candidate|end-of-candidates)\b.*\r?\n/gm, "")
    .replace(/^a=ice-ufrag:.*$/gm, () => news);
}

/**
 * Restart ICE: `send(fragment)` answers the node's. Throws what `send` threw; the connection is then as before.
 */
export async function restartIce(connection, send) {
  await connection.setLocalDescription(await connection.createOffer({ iceRestart: true }));
  try {
    const fragment = await send(fragmentOf(connection.localDescription.sdp));
    await connection.setRemoteDescription({ type: "answer", sdp: renewed(connection.remoteDescription.sdp, fragment) });
  } catch (error) {
    if (connection.signalingState === "have-local-offer") await connection.setLocalDescription({ type: "rollback" });
    throw error;
  }
}
