// Where the visitor is: `#/lab?task=intents&backbone=bundled:minilm`. A reload comes back to it.

/** The page and its choices. */
export function place() {
  const [page, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { page: page || "ideas", choices: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a page with choices. */
export function address(page, choices = {}) {
  const kept = Object.entries(choices).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(kept).toString();
  return `#/${page}${query ? `?${query}` : ""}`;
}

/** Note choices in the address without loading the page again; they are remembered for the other pages too. */
export function note(choices) {
  const now = place();
  const merged = { ...now.choices, ...choices };
  history.replaceState(null, "", address(now.page, merged));
  for (const name of ["task", "backbone"]) if (merged[name]) sessionStorage.setItem(`regraft-${name}`, merged[name]);
}

/** A choice of the address, else the one made last on another page. */
export function chosen(name) {
  return place().choices[name] ?? sessionStorage.getItem(`regraft-${name}`) ?? undefined;
}
