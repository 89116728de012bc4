// What the pages for those who aren't signed in have in common.

/** Where to go afterwards: a path of this host, whatever the address asks for. */
export function safeNext(wanted) {
  if (!wanted) return "/";
  const address = new URL(wanted, location.origin);
  return wanted.startsWith("/") && address.origin === location.origin ? address.pathname + address.search : "/";
}

/** Say something above the form. */
export function fillNews(words, isBad = true) {
  const news = document.getElementById("news");
  news.textContent = words;
  news.classList.toggle("is-bad", isBad);
}

/** The links to other languages keep the rest of the address. */
export function rememberLanguage() {
  for (const link of document.querySelectorAll("[data-language]")) {
    const address = new URL(location.href);
    address.searchParams.set("language", link.dataset.language);
    link.href = address.pathname + address.search;
  }
}
