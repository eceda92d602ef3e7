// What to expect: the recommendation's numbers at the handle, and its ranking with reasons.

import { cancel, ask, live, progress } from "./jobs.js";
import { chart } from "./charts.js";
import { fill, h, table } from "./dom.js";
import { between, duration, metricName, percent, strategyName } from "./format.js";

/** The choice that stands for a strategy at a boundary; undefined where the recommendation has none. */
export function choiceAt(result, { strategy, boundary }) {
  const of = (result?.ranking ?? []).filter((one) => one.strategy === strategy);
  return of.find((one) => one.boundary === boundary) ?? (of.length === 1 ? of[0] : undefined);
}

/** The sentence below the handle. */
export function expectationOf(result, now, survey) {
  if (!result) return h("span", { class: "soft" }, `Expected ${metricName(survey.metric)} and cost: not measured yet. “Measure and recommend” below does it.`);
  const choice = choiceAt(result, now);
  if (!choice) return h("span", { class: "soft" }, "The recommendation says nothing of this place.");
  return ["Expected ", metricName(result.metric), " ", h("strong", {}, percent(choice.expected)), ` ${between(choice.low, choice.high)} (80 % interval), about `,
    h("strong", {}, duration(choice.cost_seconds)), " on this machine."];
}

/** The ranking, or the way to get one. `lab` knows task, backbone and how to take a choice. */
export function adviceView(element, lab, found) {
  const key = found ? `${found.job.name}/${found.job.state}/${found.events.length}` : "none";
  if (element.dataset.key === key && element.dataset.of === `${lab.task.name}/${lab.backbone}`) return;
  element.dataset.key = key;
  element.dataset.of = `${lab.task.name}/${lab.backbone}`;
  const begin = () => ask({ verb: "recommend", task: lab.task.name, backbone: lab.backbone }).catch((error) => said.append(error.message));
  const said = h("p", { class: "error", role: "alert" });
  const button = (text) => h("button", { type: "button", id: "recommend", onclick: begin }, text);
  if (!found) fill(element, h("div", { class: "actions" }, button("Measure and recommend")), h("p", { class: "soft" }, "Probes every stage, tries the closest rivals briefly, and ranks what could be done. It looks at no test label."), said);
  else if (live(found)) fill(element, ...waiting(found));
  else if (found.job.state !== "done") fill(element, h("p", { class: "error" }, found.job.message || `The recommendation was ${found.job.state}.`), button("Measure again"), said);
  else fill(element, ranking(found.result, lab), h("div", { class: "actions" }, button("Measure again")), said);
}

function waiting(found) {
  const now = progress(found);
  return [h("p", { class: "loading" }, `Measuring: ${now.said}`), h("button", { type: "button", class: "quiet", onclick: () => cancel(found.job.name) }, "Cancel")];
}

function ranking(result, lab) {
  const best = result.ranking[0];
  const rows = result.ranking.slice(0, 8).map((one) => [
    h("button", { class: "link", type: "button", onclick: () => lab.take(one) }, strategyName(one.strategy)), one.boundary,
    `${percent(one.expected)} ${between(one.low, one.high)}`, duration(one.cost_seconds)]);
  return [h("h3", {}, `Recommended: ${strategyName(best.strategy)}${best.boundary === "none" ? "" : `, boundary ${best.boundary}`}`),
    h("ul", {}, result.reasons.map((one) => h("li", {}, one))),
    profile(result, lab.survey),
    table(["strategy", "boundary", `expected ${metricName(result.metric)} [80 %]`, "cost"], rows, { caption: "The first of the ranking; a click moves the handle there" }),
    result.rules?.length && rulesView(result.rules),
    h("p", { class: "soft" }, `Measured in ${duration(result.seconds)}.`)];
}

/** The expectation at every place of the handle. */
function profile(result, survey) {
  const names = ["none", ...survey.stages.map((stage) => stage.name)];
  const points = names.map((boundary, frozen) => {
    const strategy = frozen === 0 ? "full-fine-tuning" : frozen === names.length - 1 ? "feature-extraction" : "partial-fine-tuning";
    const one = choiceAt(result, { strategy, boundary });
    return one && { x: frozen, y: one.expected, low: one.low, high: one.high, said: `${strategyName(strategy)}, frozen up to ${boundary}: ${percent(one.expected)} ${between(one.low, one.high)}, ${duration(one.cost_seconds)}` };
  }).filter(Boolean);
  if (points.length < 2) return null;
  return chart({ title: "What is expected at each place of the handle, with 80 % intervals", height: 230,
    x: { label: "last frozen stage", ticks: names }, y: { label: `expected ${metricName(result.metric)} (%)`, said: (one) => (100 * one).toFixed(0) },
    series: [{ name: "expected", points }] });
}

function rulesView(rules) {
  const verdict = (one) => (!one.applies ? "does not apply here" : one.agrees ? "agrees with the measurements" : "the measurements say otherwise");
  return h("details", {}, h("summary", {}, "The classical rules, held against the measurements"),
    h("ul", { class: "rules" }, rules.map((one) => h("li", { class: one.applies ? (one.agrees ? "good" : "bad") : "soft" }, h("strong", {}, `${one.situation}: ${one.says}`), ` (${verdict(one)}). ${one.because}`))));
}
