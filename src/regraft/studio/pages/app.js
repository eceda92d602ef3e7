// The shell: which page is shown, the theme, and what went wrong.

import { fill, h } from "./dom.js";
import { place } from "./place.js";

const PAGES = {
  ideas: () => import("./ideas.js"),
  lab: () => import("./lab.js"),
  compare: () => import("./compare.js"),
  scenarios: () => import("./scenarios.js"),
  predict: () => import("./predict.js"),
};
const TITLES = { ideas: "Ideas", lab: "Strategy lab", compare: "Compare", scenarios: "Scenarios", predict: "Predict" };

const main = document.getElementById("main");
let leave = () => {};
let shown = null;

async function show() {
  const { page } = place();
  const name = page in PAGES ? page : "ideas";
  if (name === shown && location.hash.includes("?keep")) return;
  leave();
  leave = () => {};
  shown = name;
  document.title = `${TITLES[name]} · regraft studio`;
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const root = h("div", { class: `page ${name}` });
  try {
    const module = await PAGES[name]();
    if (shown !== name) return;
    fill(main, root);
    leave = module.show(root) ?? (() => {});
  } catch (error) {
    fill(main, h("p", { class: "error" }, `This page could not be shown: ${error.message}`));
  }
  document.documentElement.dataset.ready = name;
}

const THEMES = ["system", "light", "dark"];
const button = document.getElementById("theme");

function setTheme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  button.textContent = `Theme: ${name}`;
  localStorage.setItem("regraft-theme", name);
}

button.addEventListener("click", () => {
  const now = localStorage.getItem("regraft-theme") ?? "system";
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
});
setTheme(localStorage.getItem("regraft-theme") ?? "system");

addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
show();
