// The strategy lab: a task, a backbone, the handle, what to expect, and training.

import { get } from "./api.js";
import { adviceView, expectationOf } from "./advice.js";
import { Chooser } from "./chooser.js";
import { fill, field, h, select } from "./dom.js";
import { count, strategyName } from "./format.js";
import { ask, jobs, watch } from "./jobs.js";
import { chosen, note } from "./place.js";
import { runsView } from "./runs.js";
import { StageRow } from "./stages.js";

const BY_HANDLE = "by-handle";
const WAYS = [
  [BY_HANDLE, "by the handle", "What stands before the handle is frozen, what stands after it is trained, the last stage fastest."],
  ["feature-extraction", "feature extraction", "Everything is frozen; the head reads the stage before the handle."],
  ["lora", "LoRA adapters", "Weights are frozen; small matrices beside them train in every stage after the handle."],
  ["lp-ft", "LP-FT", "The head learns first, on frozen features; then everything is tuned."],
  ["gradual-unfreezing", "gradual unfreezing", "Stages open one after another, from the last to the first."],
  ["from-scratch", "from scratch", "The same network from random weights: the control that says what pre-training is worth."],
];

/** The strategy and the boundary that a handle at `frozen` of `stages` means. */
export function meant(way, frozen, stages) {
  if (way !== BY_HANDLE) return way;
  if (frozen === 0) return "full-fine-tuning";
  return frozen === stages ? "feature-extraction" : "partial-fine-tuning";
}

export function show(root) {
  const lab = new Lab();
  fill(root,
    h("h1", {}, "Strategy lab"),
    h("p", { class: "lead" }, "Take a trunk that has learnt elsewhere, choose how much of it may change, and see what that is worth on your data."),
    h("h2", {}, "1. Task and backbone"), lab.chooser.element,
    h("h2", {}, "2. What may change"), lab.element,
    h("h2", {}, "3. Runs"), lab.runs);
  return watch(() => lab.update());
}

class Lab {
  constructor() {
    this.way = chosen("way") ?? BY_HANDLE;
    this.frozen = chosen("frozen") === undefined ? null : Number(chosen("frozen"));
    this.settings = {};
    this.element = h("section", { class: "card" }, h("p", { class: "loading" }, "Waiting for a task and a backbone …"));
    this.runs = h("section", { class: "runs" });
    this.advice = h("div", { class: "advice" });
    this.expected = h("p", { class: "expected", role: "status", "aria-live": "polite" });
    this.what = h("p", { class: "what" });
    this.hint = h("p", { class: "soft hint" });
    this.chooser = new Chooser((found) => this.choose(found), { inspected: true });
    this.runsView = runsView(this.runs);
  }

  async choose({ task, backbone }) {
    this.task = task;
    this.backbone = backbone;
    this.survey = null;
    fill(this.element, h("p", { class: "loading" }, "Looking at the stages of this backbone …"));
    try {
      const found = await get(`/api/tasks/${task.name}/survey?backbone=${encodeURIComponent(backbone)}`);
      if (this.task !== task || this.backbone !== backbone) return;
      this.survey = found;
      this.build();
    } catch (error) {
      fill(this.element, h("p", { class: "error" }, error.message));
    }
  }

  build() {
    const { stages, plans } = this.survey;
    this.row = new StageRow(stages, (frozen) => { this.frozen = frozen; this.moved(); });
    const ways = WAYS.filter(([name]) => name === BY_HANDLE || Object.keys(plans[name] ?? {}).length);
    if (!ways.some(([name]) => name === this.way)) this.way = BY_HANDLE;
    this.start = h("button", { class: "main", type: "button", id: "train", onclick: () => this.train() }, "Train");
    this.refused = h("p", { class: "error", role: "alert", hidden: true });
    fill(this.element,
      field("Way of training", select(ways.map(([name, text]) => [name, text]), this.way, (value) => { this.way = value; this.moved(); }, { id: "way" })),
      this.hint,
      this.row.element, this.what, this.expected, this.options(),
      h("div", { class: "actions" }, this.start, this.refused), this.advice);
    this.moved();
    this.update();
  }

  /** Where the handle may stand for the chosen way: [frozen, boundary]. */
  places() {
    const { stages, plans } = this.survey;
    const names = ["none", ...stages.map((stage) => stage.name)];
    const has = (frozen) => {
      const strategy = meant(this.way, frozen, stages.length);
      const own = plans[strategy] ?? {};
      return this.way === BY_HANDLE && [0, stages.length].includes(frozen) ? "" in own : names[frozen] in own;
    };
    return names.map((_, frozen) => frozen).filter(has);
  }

  /** Show what the handle's place means; nothing is asked of the server for it. */
  moved() {
    const { stages, plans } = this.survey;
    let places = this.places();
    const usual = plans[meant(this.way, stages.length, stages.length)][""];
    if (!places.length) places = [usual.frozen];
    if (!places.includes(this.frozen)) this.frozen = this.way === BY_HANDLE ? stages.length : places.includes(usual.frozen) ? usual.frozen : places.at(-1);
    const strategy = meant(this.way, this.frozen, stages.length);
    const boundary = this.frozen === 0 ? "none" : stages[this.frozen - 1].name;
    this.now = { strategy, boundary, plan: plans[strategy][boundary] ?? plans[strategy][""] };
    this.row.show(this.now.plan, this.frozen, places);
    const movable = places.length > 1 ? " Drag the handle, click between two stages, or use the arrow keys." : "";
    fill(this.hint, WAYS.find(([name]) => name === this.way)[2], movable);
    const trained = this.now.plan.trained_parameters;
    const start = this.now.plan.start === "random" ? ", from random weights" : "";
    fill(this.what, h("strong", {}, strategyName(strategy)), `: ${trained ? `${count(trained)} of the trunk's parameters train` : "the trunk stays as it is; only the new head learns"}${start}.`);
    this.expect();
    note({ way: this.way, frozen: this.frozen });
    performance.mark("regraft-moved");
  }

  found() {
    return jobs("recommend").find((one) => one.job.shown.task === this.task?.name && one.job.shown.backbone === this.backbone);
  }

  expect() {
    const advice = this.found();
    fill(this.expected, expectationOf(advice?.result, this.now, this.survey));
  }

  options() {
    const number = (name, label, props, tidy = Number) => field(label, h("input", { type: "number", ...props, oninput: (event) => { this.settings[name] = event.target.value === "" ? undefined : tidy(event.target.value); } }));
    return h("details", { class: "options" }, h("summary", {}, "Settings (each has a default)"),
      h("div", { class: "grid" },
        number("epochs", "Most epochs", { min: "1", max: "1000", placeholder: "the strategy's", id: "epochs" }),
        number("learning_rate", "Learning rate", { min: "0", step: "any", placeholder: "the strategy's" }),
        number("batch_size", "Batch size", { min: "1", placeholder: "32" }),
        number("seed", "Seed", { min: "0", placeholder: "0" }),
        field("Hold the trunk near its start", select([["", "no"], ["l2-sp", "L2-SP: near its weights"], ["lwf", "LwF: near its answers"]], "", (value) => { this.settings.penalty = value || undefined; })),
        this.task.kind.startsWith("image") && field("Random views of pictures", select([["", "yes"], ["no", "no"]], "", (value) => { this.settings.augment = value ? false : undefined; }))));
  }

  async train() {
    const { strategy, boundary } = this.now;
    const movable = ["partial-fine-tuning", "lora"].includes(strategy) || (strategy === "feature-extraction" && this.frozen < this.survey.stages.length);
    const settings = Object.fromEntries(Object.entries(this.settings).filter(([, value]) => value !== undefined));
    if (movable) settings.boundary = boundary;
    if (this.now.plan.phases.at(-1).solved) for (const name of ["epochs", "learning_rate", "batch_size", "augment"]) delete settings[name];
    this.refused.hidden = true;
    this.start.disabled = true;
    try {
      await ask({ verb: "fit", task: this.task.name, backbone: this.backbone, strategy, settings });
    } catch (error) {
      this.refused.hidden = false;
      this.refused.textContent = error.message;
    }
    this.start.disabled = false;
  }

  update() {
    this.runsView(jobs("fit"));
    if (!this.survey) return;
    this.expect();
    adviceView(this.advice, this, this.found());
  }

  /** Put the handle where a recommended choice is. */
  take(choice) {
    const { stages } = this.survey;
    const place = choice.boundary === "none" ? 0 : stages.findIndex((stage) => stage.name === choice.boundary) + 1;
    this.frozen = place || (choice.boundary === "none" ? 0 : stages.length);
    this.way = ["partial-fine-tuning", "full-fine-tuning"].includes(choice.strategy) || (choice.strategy === "feature-extraction" && this.frozen === stages.length) ? BY_HANDLE : choice.strategy;
    this.element.querySelector("#way").value = this.way;
    this.moved();
    this.row.handle.focus();
  }
}
