// Which task, which backbone; uploads; what the data are and what is wrong with them.

import { get, remove, send } from "./api.js";
import { fill, h, select, table } from "./dom.js";
import { count } from "./format.js";
import { chosen, note } from "./place.js";

/** A person's word for a kind of task. */
export const KINDS = {
  "image-classification": "pictures in classes",
  "text-classification": "texts in classes",
  "text-regression": "texts with a quantity",
  "token-classification": "words with tags",
  "question-answering": "questions on passages",
};

export const reads = (kind) => (kind.startsWith("image") ? "image" : "text");

/**
 * Two selects that keep to what goes together; calls `onready({task, backbone})` when both are known.
 *
 * `inspected` adds the upload and the look at the data.
 */
export class Chooser {
  constructor(onready, { inspected = false } = {}) {
    this.onready = onready;
    this.inspected = inspected;
    this.said = h("p", { class: "error", role: "alert", hidden: true });
    this.tasks = h("div", { class: "loading" }, "Loading tasks …");
    this.backbones = h("div", {});
    this.look = h("div", { class: "look" });
    const picks = h("div", { class: "picks" }, this.tasks, inspected && this.upload(), this.backbones, this.said);
    this.element = h("section", { class: `card chooser${inspected ? " inspected" : ""}` }, picks, this.look);
    this.load(chosen("task"));
  }

  refuse(error) {
    this.said.hidden = !error;
    this.said.textContent = error ? error.message : "";
  }

  async load(wanted) {
    try {
      const listed = await get("/api/tasks");
      const name = (listed.find((one) => one.name === wanted) ?? listed[0]).name;
      const options = listed.map((one) => [one.name, one.own ? `${one.title} (yours)` : one.title]);
      const own = listed.find((one) => one.name === name).own;
      fill(this.tasks,
        h("label", { class: "field" }, h("span", {}, "Task"), select(options, name, (value) => this.load(value), { id: "task" })),
        own && h("button", { class: "quiet", type: "button", onclick: () => this.removeTask(name) }, "Remove this task"));
      this.tasks.classList.remove("loading");
      note({ task: name });
      await this.open(name);
    } catch (error) {
      this.refuse(error);
    }
  }

  async removeTask(name) {
    await remove(`/api/tasks/${name}`);
    this.load();
  }

  async open(name) {
    this.refuse(null);
    const waiting = setTimeout(() => fill(this.look, h("p", { class: "loading" }, "Reading the data. Just after the start, the libraries are loading too, which takes up to a minute.")), 300);
    const [task, all] = await Promise.all([get(`/api/tasks/${name}`), get("/api/backbones")]);
    clearTimeout(waiting);
    fill(this.look, this.inspected && inspectionView(task));
    const fitting = all.filter((one) => one.kind === reads(task.kind));
    if (!fitting.length) {
      fill(this.backbones);
      throw new Error(`No backbone here reads ${reads(task.kind) === "image" ? "pictures" : "text"}. Start the studio with --backbone FOLDER.`);
    }
    const asked = chosen("backbone");
    const backbone = (fitting.find((one) => one.name === asked) ?? fitting[0]).name;
    const options = fitting.map((one) => [one.name, `${shortName(one.name)}, ${count(one.parameters)}`]);
    const about = h("p", { class: "soft" });
    const pick = (value) => {
      const found = fitting.find((one) => one.name === value);
      about.textContent = `${count(found.parameters)} parameters in ${found.stages} stages. Pre-trained on: ${found.source}. Licence: ${found.license}.`;
      note({ backbone: value });
      this.onready({ task, backbone: value });
    };
    fill(this.backbones, h("label", { class: "field" }, h("span", {}, "Backbone"), select(options, backbone, pick, { id: "backbone" })), about);
    pick(backbone);
  }

  upload() {
    const bar = h("progress", { max: "1", value: 0, hidden: true, "aria-label": "upload" });
    const take = async (file) => {
      if (!file) return;
      this.refuse(null);
      bar.hidden = false;
      bar.removeAttribute("value");
      try {
        const task = await send(`/api/tasks?name=${encodeURIComponent(file.name)}`, file, (share) => {
          if (share < 1) bar.value = share;
          else bar.removeAttribute("value");
        });
        await this.load(task.name);
      } catch (error) {
        this.refuse(error);
      }
      bar.hidden = true;
    };
    const input = h("input", { type: "file", id: "upload", accept: ".zip,.csv,.tsv,.jsonl", onchange: () => { take(input.files[0]); input.value = ""; } });
    const drop = h("div", { class: "drop" },
      h("label", { for: "upload" }, "Your own data"), input,
      h("small", {}, "A zip of class folders with pictures, or a CSV with the columns text and label. It stays in this browser's session."), bar);
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files[0]); });
    return drop;
  }
}

/** A name of a folder without what stands above it. */
export function shortName(name) {
  return name.includes("/") ? name.split("/").filter(Boolean).at(-1) : name;
}

function inspectionView(task) {
  const splits = Object.entries(task.splits).map(([name, size]) => `${size} ${{ train: "to learn from", validation: "to choose by", test: "to test on" }[name] ?? name}`);
  const counts = task.classes.map((name) => [name, ...Object.keys(task.splits).map((split) => String(task.counts[split][name]))]);
  return [
    h("p", {}, h("strong", {}, KINDS[task.kind] ?? task.kind), `: ${task.classes.length ? `${task.classes.length} classes; ` : ""}${splits.join(", ")}.`),
    task.problems.length ? problemsView(task.problems) : h("p", { class: "good" }, "Nothing is wrong with the data."),
    samplesView(task),
    counts.length && h("details", {}, h("summary", {}, "Samples of each class"), table(["class", ...Object.keys(task.splits)], counts, { numbers: [1, 2, 3] })),
  ];
}

function problemsView(problems) {
  const order = { error: 0, warning: 1, note: 2 };
  return h("ul", { class: "problems" }, [...problems].sort((a, b) => order[a.severity] - order[b.severity]).map((one) =>
    h("li", { class: one.severity },
      h("strong", {}, one.severity), `: ${one.message} (${one.found})`,
      one.items.length && h("details", {}, h("summary", {}, "Which"), h("ul", {}, one.items.map((item) => h("li", {}, item)))))));
}

function samplesView(task) {
  if (!task.samples.length) return null;
  if ("thumb" in task.samples[0]) {
    return h("div", { class: "thumbs" }, task.samples.map((one) =>
      h("figure", {}, h("img", { src: `/api/tasks/${task.name}/thumbs/${one.thumb}`, alt: `a sample of ${one.label}`, loading: "lazy" }), h("figcaption", {}, one.label))));
  }
  const first = task.samples.filter((one, place, all) => all.findIndex((other) => other.label === one.label) === place).slice(0, 4);
  return h("dl", { class: "texts" }, first.map((one) => [h("dt", {}, one.label), h("dd", {}, one.text, one.pair && ` / ${one.pair}`)]));
}
