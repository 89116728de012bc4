// The export packages that hold something of recordings about to be deleted.

import { stateMark } from "./dom.js";
import { say } from "./words.js";

/** How many packages with any of these are there, and how many were fetched; one with several of them counts once. */
export function packagesOf(items) {
  const packages = [...new Map(items.flatMap((item) => item.packages).map((one) => [one.id, one])).values()];
  return {
    there: packages.filter((one) => one.is_there).length,
    fetched: packages.filter((one) => one.fetchings > 0).length,
  };
}

/** The same in sentences, for whoever is about to decide. */
export function packagesWords(items) {
  const { there, fetched } = packagesOf(items);
  const words = [say(there ? "deletion.packages.there" : "deletion.packages.none", { count: there })];
  if (fetched) words.push(stateMark("caution", say("deletion.packages.fetched", { count: fetched })));
  return words;
}
