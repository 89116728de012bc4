// Who is signed in on this page, as the header's layout tells it.

/** {user_id, court_id, role, permissions: […]} */
export function person() {
  return JSON.parse(document.getElementById("shell").dataset.person);
}
