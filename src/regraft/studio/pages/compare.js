// The spectrum side by side: result against cost, learning curves against from scratch, the receipt, the label planner.

import { chart } from "./charts.js";
import { Chooser, shortName } from "./chooser.js";
import { fill, field, h, table } from "./dom.js";
import { between, count, duration, metricName, percent, points, strategyName } from "./format.js";
import { ask, forget, jobs, live, watch } from "./jobs.js";
import { chosen, note } from "./place.js";
import { liveView } from "./runs.js";

const STRATEGIES = ["feature-extraction", "partial-fine-tuning", "lora", "full-fine-tuning", "lp-ft", "gradual-unfreezing", "from-scratch"];
const USUAL = ["feature-extraction", "full-fine-tuning", "from-scratch"];
const SCRATCH = "from-scratch";

export function show(root) {
  const page = new Compare();
  fill(root, h("h1", {}, "Compare"),
    h("p", { class: "lead" }, "The same task by several strategies, the same network from random weights among them: what does transfer gain, what does it cost, and what would more labels bring?"),
    h("div", { class: "two" }, page.chooser.element, page.form), h("h2", {}, "Comparisons"), page.list, page.found);
  return watch(() => page.update());
}

class Compare {
  constructor() {
    this.form = h("section", { class: "card" });
    this.list = h("div", { class: "cards" });
    this.found = h("div", {});
    this.picked = new Set(USUAL);
    this.shown = chosen("comparison");
    this.chooser = new Chooser((found) => { this.choice = found; this.begin.disabled = false; });
    this.begin = h("button", { class: "main", type: "button", id: "compare", disabled: true, onclick: () => this.start() }, "Compare");
    this.seeds = h("input", { type: "number", min: "1", max: "10", value: "1", id: "seeds" });
    this.shots = h("input", { type: "text", value: "2, 4, 8, all", id: "shots" });
    this.epochs = h("input", { type: "number", min: "1", placeholder: "the strategy's", id: "compare-epochs" });
    this.refused = h("p", { class: "error", role: "alert", hidden: true });
    fill(this.form,
      h("fieldset", {}, h("legend", {}, "Strategies"), STRATEGIES.map((name) => h("label", { class: "check" },
        h("input", { type: "checkbox", name: "strategy", value: name, checked: this.picked.has(name), onchange: (event) => (event.target.checked ? this.picked.add(name) : this.picked.delete(name)) }), strategyName(name)))),
      h("div", { class: "grid" }, field("Seeds", this.seeds, "runs of each"), field("Samples per class", this.shots, "numbers and “all”; three or more give a curve"), field("Most epochs", this.epochs)),
      h("div", { class: "actions" }, this.begin, this.refused));
  }

  async start() {
    this.refused.hidden = true;
    try {
      const shots = this.shots.value.split(",").map((one) => one.trim()).filter(Boolean).map((one) => {
        if (one !== "all" && !/^[1-9]\d*$/.test(one)) throw new Error(`Samples per class: “${one}” is neither a number above 0 nor “all”.`);
        return one === "all" ? null : Number(one);
      });
      if (!this.picked.size) throw new Error("Choose at least one strategy.");
      const settings = this.epochs.value ? { epochs: Number(this.epochs.value) } : {};
      this.shown = await ask({ verb: "compare", task: this.choice.task.name, backbone: this.choice.backbone, strategies: STRATEGIES.filter((one) => this.picked.has(one)), seeds: Number(this.seeds.value), shots: shots.length ? shots : [null], settings });
      note({ comparison: this.shown });
      this.update();
    } catch (error) {
      this.refused.hidden = false;
      this.refused.textContent = error.message;
    }
  }

  update() {
    const all = jobs("compare");
    const key = all.map((one) => `${one.job.name}${one.job.state}${one.events.length}${Math.floor(one.job.seconds)}`).join() + this.shown;
    if (key === this.key) return;
    this.key = key;
    fill(this.list, all.length ? all.map((one) => this.card(one)) : h("p", { class: "soft" }, "None yet. With few samples and the embedded messages, one takes a minute or two."));
    const now = all.find((one) => one.job.name === this.shown && one.result) ?? all.find((one) => one.result);
    if (now?.job.name === this.drawn) return;
    this.drawn = now?.job.name;
    fill(this.found, now && resultView(now));
  }

  card(one) {
    const { job } = one;
    const trials = one.events.filter((event) => event.type === "trial");
    const open = () => { this.shown = job.name; note({ comparison: job.name }); this.key = null; this.update(); };
    return h("article", { class: "card", "data-run": job.name }, h("h3", {}, job.shown.task_title),
      h("p", { class: "soft" }, `${shortName(job.shown.backbone)}; ${job.shown.strategies.map(strategyName).join(", ")}`),
      live(one) ? [liveView(one), trials.length > 0 && trialTable(trials.slice(-4))] : [
        one.result ? h("p", {}, one.result.verdict.reason) : h("p", { class: job.state === "failed" ? "error" : "soft" }, `${job.state}${job.message ? `: ${job.message}` : ""}`),
        h("div", { class: "actions" }, one.result && h("button", { type: "button", onclick: open }, "Show"),
          one.result && h("a", { class: "button quiet", href: `/api/jobs/${job.name}/report.html`, target: "_blank", rel: "noopener" }, "Report"),
          h("button", { class: "quiet", type: "button", "aria-label": `Remove ${job.title}`, onclick: () => forget(job.name) }, "Remove"))]);
  }
}

function trialTable(trials) {
  return table(["strategy", "per class", "result", "time"], trials.map((one) => [strategyName(one.strategy), one.shots, percent(one.metric), duration(one.seconds)]), { numbers: [1, 2, 3], caption: "The latest trials" });
}

function resultView(one) {
  const { result, job } = one;
  const most = result.summary.reduce((best, row) => (row.labels > best.labels ? row : best)).shots;
  const colours = Object.fromEntries([...new Set(result.summary.map((row) => row.strategy))].map((name, place) => [name, place]));
  return [h("h2", {}, `${job.shown.task_title}: the verdict`), h("p", { class: "expected" }, result.verdict.reason),
    h("div", { class: "pair" }, spectrum(result, most, colours), curves(result, colours)),
    h("div", { class: "two" }, receipt(result), planner(result)), summary(result)];
}

function axis(result) {
  const share = !["pearson", "spearman", "r2"].includes(result.metric);
  return { label: `test ${metricName(result.metric)}${share ? " (%)" : ""}`, said: (one) => (share ? (100 * one).toFixed(0) : one.toFixed(2)) };
}

function spectrum(result, most, colours) {
  const rows = result.summary.filter((row) => row.shots === most);
  return chart({ title: "The spectrum: result against cost, with 95 % intervals; up and to the left is better", x: { label: "training time (seconds, median over seeds)", log: true }, y: axis(result),
    series: rows.map((row) => ({ name: strategyName(row.strategy), colour: colours[row.strategy], line: false, points: [{ x: Math.max(row.training_seconds, 0.001), y: row.mean, low: row.low, high: row.high, strong: row.strategy === result.verdict.strategy, said: `${strategyName(row.strategy)}: ${percent(row.mean)} ${between(row.low, row.high)} in ${duration(row.training_seconds)}` }] })) });
}

function curves(result, colours) {
  const several = result.curves.filter((one) => one.labels.length > 1);
  if (!several.length) return h("div", { class: "chart" }, h("p", { class: "soft" }, "A learning curve needs several numbers of samples per class, such as 2, 4, 8, all."));
  const measured = several.map((one) => ({ name: strategyName(one.strategy), colour: colours[one.strategy], band: true, dashed: one.strategy === SCRATCH, points: one.labels.map((x, place) => ({ x, y: one.means[place], low: one.low[place], high: one.high[place] })) }));
  const fitted = several.filter((one) => one.fitted.length).map((one) => ({ name: `${strategyName(one.strategy)}, fitted`, colour: colours[one.strategy], hidden: true, dots: false, dashed: true, points: one.fitted.filter(([x]) => x >= one.labels.at(-1)).map(([x, y]) => ({ x, y })) }));
  return chart({ title: "Learning curves with 95 % intervals; beyond the last point, the fitted power law", x: { label: "labelled samples (validation part included)", log: true }, y: axis(result), series: [...measured, ...fitted] });
}

function receipt(result) {
  return h("section", { class: "card receipt" }, h("h3", {}, "Transfer receipt"),
    result.gain ? [h("p", { class: "score" }, h("strong", { class: result.gain.high < 0 ? "bad" : "" }, `${points(result.gain.accuracy)} points`), ` ${between(result.gain.low, result.gain.high, points)}`), h("ul", {}, result.receipt.map((line) => h("li", {}, line)))]
      : h("p", { class: "soft" }, "Include from scratch and one other strategy, and it says what the pretrained weights were worth."));
}

function planner(result) {
  const able = result.curves.filter((one) => one.more.length);
  const card = h("section", { class: "card planner" }, h("h3", {}, "Label planner"));
  if (!able.length) {
    card.append(h("p", { class: "soft" }, "Three or more numbers of samples per class let it forecast what more labels would bring."));
    return card;
  }
  const offered = able[0].more.map((one) => one.extra);
  const start = Math.max(offered.findIndex((extra) => extra >= Math.min(200, offered.at(-1))), 0);
  const said = h("output", { class: "score" });
  const rows = h("div", {});
  const move = (place) => {
    fill(said, h("strong", {}, `+${offered[place]} labels`));
    fill(rows, table(["strategy", "expected change"], able.map((one) => [strategyName(one.strategy), `${points(one.more[place].change)} ± ${(100 * one.more[place].margin).toFixed(1)} points`]), { numbers: [1], caption: "Change of the test result, with a 95 % margin" }));
  };
  const range = h("input", { type: "range", min: "0", max: String(offered.length - 1), value: String(start), id: "labels", oninput: (event) => move(Number(event.target.value)) });
  move(start);
  card.append(said, field("Further labelled samples", range, `at most as many again as there are (${count(offered.at(-1))})`), rows,
    h("ul", { class: "soft" }, result.sentences.map((line) => h("li", {}, line))));
  return card;
}

function summary(result) {
  const rows = result.summary.map((row) => [strategyName(row.strategy), row.shots, row.labels.toFixed(0), `${percent(row.mean)} ${between(row.low, row.high)}`, duration(row.training_seconds)]);
  const against = result.contests.map((row) => [strategyName(row.strategy), `${points(row.difference)} ${between(row.low, row.high, points)}`, row.p_holm.toFixed(3), row.tied ? "tie" : ""]);
  return h("details", {}, h("summary", {}, "All numbers"), table(["strategy", "per class", "labels", `${metricName(result.metric)} [95 %]`, "training time"], rows, { numbers: [1, 2, 3, 4], caption: "Mean over seeds" }),
    against.length > 0 && table(["strategy", "difference (points) [95 %]", "p (Holm)", ""], against, { numbers: [1, 2], caption: "Against the best on the validation part, paired on the test part" }));
}
