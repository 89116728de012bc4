// The HTTP side of WHIP and WHEP, shared by the clients: an offer goes out, its answer comes back.

/** POST the offer; returns {answer, end}, where `end` deletes the session. */
export async function exchange(url, token, offer) {
  const authorization = { Authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: "POST",
    headers: { ...authorization, "Content-Type": "application/sdp" },
    body: offer,
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
  const session = new URL(response.headers.get("location"), url);
  return { answer, end: () => fetch(session, { method: "DELETE", headers: authorization }) };
}

/** Say a line that the test reads. */
export function tell(said) {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
