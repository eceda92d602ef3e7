// The trained model on one's own picture or text: the share of each class, and what of the input it rests on.

import { get, post, send } from "./api.js";
import { bars } from "./charts.js";
import { shortName } from "./chooser.js";
import { fill, h, s, select } from "./dom.js";
import { percent, points, strategyName } from "./format.js";
import { jobs, watch } from "./jobs.js";
import { chosen, note } from "./place.js";

const MOST_CLASSES = 12;

export function show(root) {
  const page = new Predict();
  fill(root, h("h1", {}, "Predict"),
    h("p", { class: "lead" }, "Give a model that you trained a picture or a text of your own, and see what its answer rests on."),
    page.element);
  return watch(() => page.update());
}

class Predict {
  constructor() {
    this.pick = h("div", {});
    this.input = h("div", {});
    this.answer = h("section", { class: "card answer", "aria-live": "polite", hidden: true });
    this.element = h("div", {}, h("section", { class: "card" }, this.pick, this.input), this.answer);
    this.names = null;
  }

  update() {
    const models = jobs("fit").filter((one) => one.job.model && one.result);
    const names = models.map((one) => one.job.name).join();
    if (names === this.names) return;
    this.names = names;
    if (!models.length) {
      fill(this.pick, h("p", {}, "There is no trained model in this session yet. ", h("a", { href: "#/lab" }, "Train one in the strategy lab"), ": feature extraction on the embedded messages takes seconds."));
      fill(this.input);
      return;
    }
    const asked = chosen("run");
    this.model = models.find((one) => one.job.name === asked) ?? models[0];
    const options = models.map((one) => [one.job.name, `${strategyName(one.result.strategy)}, ${one.job.shown.task_title} (${percent(one.result.metrics[one.result.metric])})`]);
    fill(this.pick, h("label", { class: "field" }, h("span", {}, "Model"), select(options, this.model.job.name, (value) => {
      this.model = models.find((one) => one.job.name === value);
      note({ run: value });
      this.form();
    }, { id: "model" })));
    this.form();
  }

  form() {
    const { result, job } = this.model;
    this.answer.hidden = true;
    this.refused = h("p", { class: "error", role: "alert", hidden: true });
    const about = h("p", { class: "soft" }, `Learnt from ${job.shown.task_title} on ${shortName(job.shown.backbone)}.`);
    fill(this.input, about, result.kind.startsWith("image") ? this.pictureForm() : this.textForm(result.kind, result.pairs), this.refused);
    this.examples(job.shown.task, result);
  }

  textForm(kind, pairs) {
    const wanted = { "question-answering": "Question and passage, with a tab between", "token-classification": "Sentence" }[kind] ?? (pairs ? "Two texts, with a tab between" : "Text");
    this.text = h("textarea", { rows: "3", id: "text", placeholder: "Write here …" });
    this.text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.ask({ text: this.text.value }); });
    this.suggest = h("p", { class: "suggest" });
    return [h("label", { class: "field" }, h("span", {}, wanted), this.text), this.suggest,
      h("div", { class: "actions" }, h("button", { class: "main", type: "button", id: "ask", onclick: () => this.ask({ text: this.text.value }) }, "Predict"))];
  }

  pictureForm() {
    const take = async (file) => {
      if (!file) return;
      this.refuse(null);
      try {
        const { name } = await send("/api/pictures", file);
        await this.ask({ picture: name });
      } catch (error) {
        this.refuse(error);
      }
    };
    const input = h("input", { type: "file", id: "picture", accept: "image/*", onchange: () => { take(input.files[0]); input.value = ""; } });
    this.suggest = h("div", { class: "thumbs suggest" });
    this.take = take;
    return h("div", { class: "drop" }, h("label", { for: "picture" }, "Picture"), input, this.suggest);
  }

  /** Samples of the task to begin with; the task may have been removed since. */
  async examples(name, result) {
    const task = await get(`/api/tasks/${name}`).catch(() => null);
    if (!task?.samples?.length || !this.suggest) return;
    const firsts = task.samples.filter((one, place, all) => all.findIndex((other) => other.label === one.label) === place).slice(0, result.kind.startsWith("image") ? 10 : 3);
    if (!result.kind.startsWith("image")) {
      fill(this.suggest, h("span", { class: "soft" }, "Or one of the task: "), firsts.map((one) => h("button", { class: "link", type: "button", onclick: () => { this.text.value = one.pair ? `${one.text}\t${one.pair}` : one.text; this.ask({ text: this.text.value }); } }, `“${one.text.slice(0, 70)}${one.text.length > 70 ? "…" : ""}”`)));
      return;
    }
    fill(this.suggest, firsts.map((one) => h("button", { class: "thumb", type: "button", title: one.label, onclick: async () => {
      const file = await (await fetch(`/api/tasks/${name}/thumbs/${one.thumb}`)).blob();
      this.take(file);
    } }, h("img", { src: `/api/tasks/${name}/thumbs/${one.thumb}`, alt: `a sample of ${one.label}` }))));
  }

  refuse(error) {
    this.refused.hidden = !error;
    this.refused.textContent = error ? error.message : "";
  }

  async ask(wanted) {
    this.refuse(null);
    this.answer.hidden = false;
    fill(this.answer, h("p", { class: "loading" }, "Predicting, with each part covered in turn …"));
    try {
      const found = await post(`/api/jobs/${this.model.job.name}/predict`, wanted);
      fill(this.answer, answerView(found, wanted, (label) => this.ask({ ...wanted, label })));
    } catch (error) {
      this.answer.hidden = true;
      this.refuse(error);
    }
  }
}

function answerView(found, wanted, onlabel) {
  const { prediction, explanation } = found;
  if ("value" in prediction) return [h("h2", {}, "Answer"), h("p", { class: "score" }, h("strong", {}, prediction.value.toFixed(3)))];
  if ("entities" in prediction) return tagged(prediction, wanted.text);
  if ("answer" in prediction) return [h("h2", {}, "Answer"), h("p", { class: "score" }, h("strong", {}, prediction.answer || "no answer in the passage")), h("p", { class: "soft" }, `score ${prediction.score.toFixed(3)}`)];
  const rows = Object.entries(prediction.scores).map(([name, share]) => ({ name, share, strong: name === explanation?.label })).sort((a, b) => b.share - a.share);
  return h("div", { class: "two" },
    h("div", {}, h("p", { class: "score" }, h("strong", {}, prediction.label), ` with a share of ${percent(prediction.score)}`),
      bars("Share of each class (%)", rows.slice(0, MOST_CLASSES), percent, onlabel),
      rows.length > MOST_CLASSES && h("p", { class: "soft" }, `and ${rows.length - MOST_CLASSES} more classes with less`),
      h("p", { class: "soft" }, "Choose a class to see what speaks for it.")),
    explanation && h("div", {}, explanation.view ? pictureExplained(explanation) : textExplained(explanation, wanted.text)));
}

const weightSaid = (label, weight) => `without it, the share of ${label} changes by ${points(-weight)} points`;

function textExplained(explanation, text) {
  const [first, second] = text.split("\t");
  const most = Math.max(...[...explanation.pieces, ...explanation.pair_pieces].map((one) => Math.abs(one.weight)), 1e-6);
  const words = (pieces, whole) => {
    const parts = [];
    let end = 0;
    for (const one of pieces) {
      const between = whole.slice(end, one.start);
      parts.push(between, h("mark", { class: one.weight >= 0 ? "for" : "against", tabindex: "0", title: weightSaid(explanation.label, one.weight), style: { "--strength": String(Math.abs(one.weight) / most) } }, one.text));
      end = one.end;
    }
    return h("p", { class: "marked" }, parts, whole.slice(end));
  };
  const strongest = [...explanation.pieces, ...explanation.pair_pieces].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 5);
  return h("figure", {}, h("figcaption", {}, `What speaks for “${explanation.label}”`),
    words(explanation.pieces, first), second && explanation.pair_pieces.length > 0 && words(explanation.pair_pieces, second), key(most),
    h("ul", { class: "soft" }, strongest.map((one) => h("li", {}, `“${one.text}”: ${weightSaid(explanation.label, one.weight)}`))),
    h("p", { class: "soft" }, "Each word is left out in turn and the model asked again; the fall of the share is the word's weight."));
}

function key(most) {
  return h("p", { class: "key" }, h("mark", { class: "for", style: { "--strength": "1" } }, `speaks for it, up to ${(100 * most).toFixed(1)} points`), " ", h("mark", { class: "against", style: { "--strength": "1" } }, "speaks against it"));
}

function pictureExplained(explanation) {
  const bytes = Uint8Array.from(atob(explanation.view), (letter) => letter.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  const picture = h("img", { src: url, alt: "the picture as the network saw it", onload: () => URL.revokeObjectURL(url) });
  const { grid } = explanation;
  const most = Math.max(...grid.flat().map(Math.abs), 1e-6);
  const side = 100 / grid.length;
  const heat = s("svg", { class: "heat", viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": `what speaks for ${explanation.label}, as a map` },
    grid.flatMap((row, down) => row.map((weight, across) => s("rect", { class: weight >= 0 ? "for" : "against", x: across * side, y: down * side, width: side, height: side, "fill-opacity": (0.65 * Math.abs(weight)) / most }, s("title", {}, `covered, the share of ${explanation.label} changes by ${points(-weight)} points`)))));
  const toggle = h("input", { type: "checkbox", checked: true, onchange: (event) => { heat.style.setProperty("display", event.target.checked ? "" : "none"); } });
  return h("figure", {}, h("figcaption", {}, `What speaks for “${explanation.label}”`),
    h("div", { class: "seen" }, picture, heat), h("label", { class: "check" }, toggle, "Show the map"), key(most),
    h("p", { class: "soft" }, "A square is covered in turn at each place and the model asked again; the fall of the share, averaged over the squares above a place, is its weight."));
}

function tagged(prediction, text) {
  return [h("h2", {}, "Found"), prediction.entities.length
    ? h("ul", {}, prediction.entities.map((one) => h("li", {}, h("strong", {}, one.text), ` ${one.label}`)))
    : h("p", {}, "Nothing was found in this sentence."), h("p", { class: "soft" }, text)];
}
