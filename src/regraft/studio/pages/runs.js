// Training runs: live curves, time left, side by side, what was forgotten, model and report to take home.

import { chart } from "./charts.js";
import { shortName } from "./chooser.js";
import { fill, h, table } from "./dom.js";
import { between, count, duration, metricName, percent, strategyName } from "./format.js";
import { cancel, forget, live, progress } from "./jobs.js";
import { address } from "./place.js";

const STATES = { waiting: "waiting", running: "training", done: "done", failed: "did not work", cancelled: "cancelled" };

/** A function that draws runs into `element`, and draws again only what changed. */
export function runsView(element) {
  const cards = new Map();
  const empty = h("p", { class: "soft" }, "No runs yet. “Train” above begins one; it goes on while you look at other pages, and a reload finds it again.");
  const curves = h("div", { class: "curves" });
  const side = h("div", {});
  const list = h("div", { class: "cards" });
  fill(element, empty, list, curves, side);
  let drawn = "";
  return (runs) => {
    empty.hidden = runs.length > 0;
    for (const name of cards.keys()) if (!runs.some((one) => one.job.name === name)) { cards.get(name).element.remove(); cards.delete(name); }
    runs.toReversed().forEach((one, place) => {
      let card = cards.get(one.job.name);
      if (!card) {
        card = { element: h("article", { class: "card run", "data-run": one.job.name }), key: "" };
        cards.set(one.job.name, card);
        list.prepend(card.element);
      }
      const key = JSON.stringify([one.job.state, one.job.before, one.events.length, Boolean(one.result), Math.floor(one.job.seconds)]);
      if (key !== card.key) fill(card.element, ...runCard(one, place + 1));
      card.key = key;
    });
    const now = runs.map((one) => `${one.job.name}${steps(one).length}${one.job.state}`).join();
    if (now !== drawn) { fill(curves, curvesOf(runs)); fill(side, sideBySide(runs)); }
    drawn = now;
  };
}

const steps = (one) => one.events.filter((event) => event.type === "step");

function runCard(one, number) {
  const { job, result } = one;
  const { strategy, backbone, settings, task_title: title } = job.shown;
  const head = [h("h3", {}, `${number}. ${strategyName(strategy)}`), h("p", { class: "soft" }, `${title}, ${shortName(backbone)}${settings.boundary ? `, boundary ${settings.boundary}` : ""}`)];
  if (live(one)) return [...head, ...liveView(one)];
  if (job.state !== "done" || !result) {
    return [...head, h("p", { class: job.state === "failed" ? "error" : "soft" }, `${STATES[job.state]}${job.message ? `: ${job.message}` : ""}`), actions(job, [])];
  }
  return [...head, ...resultView(result), actions(job, [
    h("a", { class: "button", href: address("predict", { run: job.name }) }, "Predict"),
    h("a", { class: "button quiet", href: `/api/jobs/${job.name}/model.zip`, download: true }, "Model (zip)"),
    h("a", { class: "button quiet", href: `/api/jobs/${job.name}/report.html`, target: "_blank", rel: "noopener" }, "Report")])];
}

function actions(job, links) {
  return h("div", { class: "actions" }, links, h("button", { class: "quiet", type: "button", "aria-label": `Remove ${job.title}`, onclick: () => forget(job.name) }, "Remove"));
}

/** State, progress and the way out of a job that waits or runs. */
export function liveView(one) {
  const now = progress(one);
  const bar = now.share === null ? h("progress", { "aria-label": "progress" }) : h("progress", { max: "1", value: now.share, "aria-label": "progress" });
  const left = now.left === null ? "" : `, at most ${duration(now.left)} left`;
  return [h("p", { role: "status" }, h("strong", {}, STATES[one.job.state]), `: ${now.said}`), bar,
    h("p", { class: "soft" }, one.job.state === "running" ? `${duration(one.job.seconds)} so far${left}` : ""),
    h("div", { class: "actions" }, h("button", { class: "cancel", type: "button", onclick: (event) => { event.target.disabled = true; cancel(one.job.name); } }, "Cancel"))];
}

function resultView(result) {
  const metric = result.metrics[result.metric];
  const [low, high] = result.intervals[result.metric] ?? [null, null];
  const plain = (value) => (["accuracy", "f1", "macro_f1", "entity_f1", "exact_match"].includes(result.metric) ? percent(value) : value.toFixed(3));
  return [
    h("p", { class: "score" }, h("strong", {}, plain(metric)), ` ${metricName(result.metric)} on the ${result.split} part `, h("span", { class: "soft" }, `${between(low, high, plain)}, 95 %, ${result.samples} samples`)),
    h("p", {}, `${count(result.trainable_parameters)} parameters trained in ${duration(result.seconds.total)}.`),
    forgottenView(result),
    result.confusion && confusionView(result)];
}

function forgottenView(result) {
  const found = result.forgetting;
  if (!found) return h("p", { class: "soft" }, result.strategy === "from-scratch" ? "It began from random weights: there was nothing to forget." : "The trunk did not change: nothing was forgotten.");
  if (found.measured === "source") return h("p", {}, h("strong", {}, "Forgotten: "), `${(100 * found.lost).toFixed(1)} points of ${percent(found.before)} on the source.`);
  const agrees = found.agreement === null || found.agreement === undefined ? "" : ` Its original head still says the same for ${percent(found.agreement)} of this task's inputs.`;
  return h("p", {}, h("strong", {}, "Moved away from what it knew: "), `features by ${found.feature_drift.toFixed(3)} (1 − cosine; 0 = not at all).${agrees}`);
}

function confusionView(result) {
  const rows = result.confusion.map((row, place) => [result.classes[place], ...row.map((cell, other) =>
    h("span", { class: place === other ? "right" : cell ? "wrong" : "soft" }, String(cell)))]);
  return h("details", {}, h("summary", {}, "What it confuses"), table(["truth \\ answer", ...result.classes], rows, { numbers: result.classes.map((_, place) => place + 1), caption: "Rows: the true class; columns: the answer; test samples" }));
}

function curvesOf(runs) {
  const trained = runs.toReversed().map((one, place) => ({ one, name: `${place + 1}. ${strategyName(one.job.shown.strategy)}`, colour: place })).filter(({ one }) => steps(one).some((step) => step.loss !== undefined) && !("strength" in (steps(one)[0]?.metrics ?? {})));
  if (!trained.length) return null;
  const series = (read, extra = {}) => trained.map(({ one, name, colour }) => ({ name, colour, ...extra, points: steps(one).map((step) => ({ x: step.number, y: read(step) })) })).filter((line) => line.points.some((point) => Number.isFinite(point.y)));
  const losses = [...series((step) => step.loss), ...series((step) => step.metrics.loss, { dashed: true, hidden: true, dots: false })];
  const accuracy = series((step) => step.metrics.accuracy);
  return h("div", { class: "pair" },
    chart({ title: "Loss by epoch (solid: training part, dashed: validation part)", x: { label: "epoch", whole: true }, y: { label: "loss (nats)" }, series: losses }),
    accuracy.length && chart({ title: "Accuracy on the validation part by epoch", x: { label: "epoch", whole: true }, y: { label: "accuracy (%)", said: (one) => (100 * one).toFixed(0) }, series: accuracy }));
}

function sideBySide(runs) {
  const done = runs.toReversed().map((one, place) => ({ one, number: place + 1 })).filter(({ one }) => one.result);
  if (done.length < 2) return null;
  const rows = done.map(({ one: { job, result }, number }) => {
    const [low, high] = result.intervals[result.metric] ?? [null, null];
    const moved = result.forgetting?.feature_drift;
    return [String(number), strategyName(result.strategy), result.boundary, shortName(job.shown.backbone), job.shown.task_title, `${percent(result.metrics[result.metric])} ${between(low, high)}`, count(result.trainable_parameters), duration(result.seconds.total), moved === undefined ? "0" : moved.toFixed(3)];
  });
  return [h("h3", {}, "Side by side"), table(["run", "strategy", "boundary", "backbone", "task", "result [95 %]", "trained", "time", "features moved"], rows, { numbers: [0, 5, 6, 7, 8], caption: "Finished runs" })];
}
