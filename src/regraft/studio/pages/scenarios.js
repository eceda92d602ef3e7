// Questions of transfer learning: you choose, measurements on real data grade you and say why.

import { get, post } from "./api.js";
import { chart } from "./charts.js";
import { fill, h, table } from "./dom.js";
import { between, duration, metricName, percent, strategyName } from "./format.js";
import { ask, jobNamed, live, watch } from "./jobs.js";
import { address } from "./place.js";
import { liveView } from "./runs.js";

export function show(root) {
  const list = h("div", { class: "questions" }, h("p", { class: "loading" }, "Fetching the questions …"));
  const score = h("p", { class: "soft", role: "status" });
  fill(root, h("h1", {}, "Scenarios"),
    h("p", { class: "lead" }, "Real questions with a few choices. The verdict is not somebody's opinion: it is the ranking that the measurements of that very task give."), score, list);
  const cards = [];
  const told = () => {
    const answered = cards.filter((card) => card.verdict);
    score.textContent = answered.length ? `${answered.filter((card) => card.verdict.right).length} of ${answered.length} right so far.` : "";
  };
  get("/api/scenarios").then((found) => {
    cards.push(...found.map((one) => new Question(one, told)));
    fill(list, cards.map((card) => card.element));
  }).catch((error) => fill(list, h("p", { class: "error" }, error.message)));
  return watch(() => cards.forEach((card) => card.update()));
}

class Question {
  constructor(about, told) {
    this.about = about;
    this.told = told;
    this.said = h("div", { class: "verdict", "aria-live": "polite" });
    this.refused = h("p", { class: "error", role: "alert", hidden: true });
    this.check = h("button", { class: "main", type: "button", disabled: true, onclick: () => this.answer() }, "Check my answer");
    this.choices = about.choices.map((choice) => h("label", { class: "check" },
      h("input", { type: "radio", name: `question-${about.number}`, value: choice.key, onchange: () => { this.key = choice.key; this.check.disabled = false; } }), h("span", {}, h("strong", {}, `${choice.key}) `), choice.text)));
    this.element = h("article", { class: "card question", "data-number": about.number },
      h("h2", {}, `${about.number}. ${about.title}`),
      h("fieldset", {}, h("legend", {}, about.question), this.choices),
      h("p", { class: "soft" }, `Measured on ${about.measured_on}.`),
      h("div", { class: "actions" }, this.check,
        about.at_hand && h("button", { type: "button", class: "quiet measure", onclick: () => this.measure() }, "Measure it here and now"),
        h("button", { type: "button", class: "quiet try", onclick: () => this.open() }, "Try it in the lab")),
      this.refused, this.said);
  }

  refuse(error) {
    this.refused.hidden = !error;
    this.refused.textContent = error ? error.message : "";
  }

  async answer() {
    this.refuse(null);
    try {
      this.show(await post(`/api/scenarios/${this.about.number}`, { answer: this.key }));
    } catch (error) {
      this.refuse(error);
    }
  }

  async measure() {
    this.refuse(this.key ? null : new Error("Choose an answer first; the measurement then grades it."));
    if (!this.key) return;
    try {
      this.job = await ask({ verb: "scenario", number: this.about.number, answer: this.key, budget_seconds: 60 });
      this.update();
    } catch (error) {
      this.refuse(error);
    }
  }

  update() {
    const one = this.job && jobNamed(this.job);
    if (!one) return;
    if (live(one)) fill(this.said, liveView(one));
    else {
      this.job = null;
      if (one.result) this.show(one.result);
      else { fill(this.said); this.refuse(one.job.state === "cancelled" ? null : new Error(one.job.message)); }
    }
  }

  show(verdict) {
    this.verdict = verdict;
    this.told();
    fill(this.said, verdictView(verdict));
    this.said.scrollIntoView({ block: "nearest" });
  }

  async open() {
    this.refuse(null);
    try {
      const found = await post(`/api/scenarios/${this.about.number}/task`);
      if (found.name) location.hash = address("lab", { task: found.name });
      else {
        const kind = /pictur|photograph|flowers|cells/.test(found.said) ? "image" : "text";
        const tasks = await Promise.all((await get("/api/tasks")).map((task) => get(`/api/tasks/${task.name}`)));
        const like = tasks.find((task) => task.kind.startsWith(kind)) ?? tasks[0];
        location.hash = address("lab", { task: like.name });
      }
    } catch (error) {
      this.refuse(error);
    }
  }
}

function verdictView(verdict) {
  const right = verdict.right_choices.join(" and ") || "none of them";
  const measured = verdict.ranking.filter((one, place, all) => all.findIndex((other) => other.strategy === one.strategy && other.backbone === one.backbone) === place);
  return [
    h("p", { class: `grade ${verdict.right ? "good" : "bad"}` }, h("strong", {}, verdict.right ? `Yes: ${verdict.answer} is what the measurements say.` : `The measurements say ${right}, not ${verdict.answer}.`)),
    h("ul", { class: "choices" }, verdict.choices.map((choice) => h("li", { class: verdict.right_choices.includes(choice.key) ? "right" : "" }, h("strong", {}, `${choice.key}) `), h("span", {}, choice.text), h("br"), h("span", { class: "soft" }, choice.said)))),
    h("h3", {}, "Why"), h("ul", {}, verdict.why.filter(Boolean).map((line) => h("li", {}, line))),
    h("p", { class: "lesson" }, verdict.lesson),
    chart({ title: "Behind it: expected result against cost of each strategy, with 80 % intervals", height: 260, x: { label: "predicted time of training (seconds)", log: true }, y: { label: `expected ${metricName(verdict.metric)} (%)`, said: (one) => (100 * one).toFixed(0) },
      series: measured.map((one, place) => ({ name: `${strategyName(one.strategy)}${new Set(measured.map((other) => other.backbone)).size > 1 ? `, ${one.backbone}` : ""}`, line: false, points: [{ x: Math.max(one.cost_seconds, 0.01), y: one.expected, low: one.low, high: one.high, strong: place === 0, said: `${strategyName(one.strategy)}: ${percent(one.expected)} ${between(one.low, one.high)}, ${duration(one.cost_seconds)}` }] })) }),
    h("details", {}, h("summary", {}, "Every measurement"), table(["measurement", "value", "80 % interval", "how"], verdict.measurements.map((one) => [one.name, one.value === null ? "" : Number(one.value.toPrecision(4)), one.low === null ? "" : `${one.low.toPrecision(3)} to ${one.high.toPrecision(3)}`, one.source]), { numbers: [1, 2], caption: verdict.source }))];
}
