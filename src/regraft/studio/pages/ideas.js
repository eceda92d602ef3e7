// What transfer learning is, shown on a real backbone: nothing on this page is drawn by hand.

import { get, post, send } from "./api.js";
import { chart } from "./charts.js";
import { Chooser, reads, shortName } from "./chooser.js";
import { fill, h, table } from "./dom.js";
import { count, duration, metricName, percent, points } from "./format.js";
import { ask, cancel, jobs, live, progress, watch } from "./jobs.js";

export function show(root) {
  const page = new Ideas();
  fill(root, h("h1", {}, "Ideas"),
    h("p", { class: "lead" }, "A chef who has cooked for ten years does not start at holding a knife when she learns a new cuisine. Heat, salt, timing and texture come with her; what she learns anew are a few spices and how dishes are put together. Transfer learning is that, for networks."),
    h("h2", {}, "Pick what to look at"), page.chooser.element,
    h("h2", {}, "Two stages of learning"), page.two,
    h("h2", {}, "Your own input, stage by stage"), page.own,
    h("h2", {}, "The feature hierarchy, measured"), page.measured,
    h("h2", {}, "Pictures and language, side by side"), page.sides,
    h("h2", {}, "Where it helps most, and where it does not"), where());
  return watch(() => page.update());
}

class Ideas {
  constructor() {
    this.two = h("section", { class: "two stages-two" }, h("p", { class: "loading" }, "Reading …"));
    this.own = h("section", { class: "card" });
    this.seen = h("div", { "aria-live": "polite" });
    this.measured = h("section", { class: "card" });
    this.sides = h("section", {});
    this.chooser = new Chooser((found) => this.choose(found));
  }

  async choose({ task, backbone }) {
    this.task = task;
    this.backbone = backbone;
    this.drawn = null;
    this.form();
    this.update();
    try {
      const survey = await get(`/api/tasks/${task.name}/survey?backbone=${encodeURIComponent(backbone)}`);
      if (this.task !== task || this.backbone !== backbone) return;
      fill(this.two, twoStages(task, survey));
      this.compareSides(task, survey);
    } catch (error) {
      fill(this.two, h("p", { class: "error" }, error.message));
    }
  }

  form() {
    const picture = reads(this.task.kind) === "image";
    this.refused = h("p", { class: "error", role: "alert", hidden: true });
    fill(this.seen);
    const told = h("p", { class: "soft" }, picture
      ? "Choose a picture: below stand the real activations of every stage, and what a linear probe at that stage takes it for. Early stages answer to edges and colours, later ones to what the task is about."
      : "Write a sentence: a linear probe at every stage says what it takes it for, and which words hold that up. Watch the answer settle as the stages go on.");
    fill(this.own, told, picture ? this.pictureForm() : this.textForm(), this.refused, this.seen);
  }

  textForm() {
    const first = this.task.samples.find((one) => one.text)?.text ?? "";
    const text = h("textarea", { rows: "2", id: "look-text", value: first });
    return [h("label", { class: "field" }, h("span", {}, "Sentence"), text),
      h("div", { class: "actions" }, h("button", { class: "main", type: "button", id: "look", onclick: () => this.look({ text: text.value }) }, "Look"))];
  }

  pictureForm() {
    const take = async (file) => {
      if (!file) return;
      try {
        const { name } = await send("/api/pictures", file);
        await this.look({ picture: name });
      } catch (error) {
        this.refuse(error);
      }
    };
    const input = h("input", { type: "file", id: "look-picture", accept: "image/*", onchange: () => { take(input.files[0]); input.value = ""; } });
    const firsts = this.task.samples.filter((one, place, all) => "thumb" in one && all.findIndex((other) => other.label === one.label) === place).slice(0, 8);
    return h("div", { class: "drop" }, h("label", { for: "look-picture" }, "Picture"), input, h("div", { class: "thumbs" }, firsts.map((one) => {
      const url = `/api/tasks/${this.task.name}/thumbs/${one.thumb}`;
      return h("button", { class: "thumb", type: "button", title: one.label, onclick: async () => take(await (await fetch(url)).blob()) }, h("img", { src: url, alt: `a sample of ${one.label}` }));
    })));
  }

  refuse(error) {
    this.refused.hidden = !error;
    this.refused.textContent = error ? error.message : "";
  }

  async look(wanted) {
    this.refuse(null);
    fill(this.seen, h("p", { class: "loading" }, "Running it through the stages; the first look at a task fits a probe for each …"));
    try {
      fill(this.seen, lookView(await post(`/api/tasks/${this.task.name}/look`, { backbone: this.backbone, ...wanted })));
    } catch (error) {
      fill(this.seen);
      this.refuse(error);
    }
  }

  update() {
    if (!this.task) return;
    const found = jobs("probe").find((one) => one.job.shown.task === this.task.name && one.job.shown.backbone === this.backbone);
    const key = found ? `${found.job.name}${found.job.state}${found.events.length}` : "none";
    if (key === this.drawn) return;
    this.drawn = key;
    const begin = () => ask({ verb: "probe", task: this.task.name, backbone: this.backbone }).catch((error) => fill(this.measured, h("p", { class: "error" }, error.message)));
    const button = h("button", { type: "button", id: "probe", onclick: begin }, found?.result ? "Measure again" : "Measure the hierarchy");
    if (!found) fill(this.measured, h("p", { class: "soft" }, "A linear probe of every stage on this task, how alike the stages are, the first layer's filters and what later channels look for. It takes a minute or so."), button);
    else if (live(found)) fill(this.measured, h("p", { class: "loading" }, `Measuring: ${progress(found).said}`), h("button", { class: "quiet", type: "button", onclick: () => cancel(found.job.name) }, "Cancel"));
    else if (found.result) fill(this.measured, hierarchyView(found), button);
    else fill(this.measured, h("p", { class: "error" }, found.job.message || `The measurement was ${found.job.state}.`), button);
  }

  /** Two real backbones beside each other, where both kinds are here. */
  async compareSides(task, survey) {
    const [backbones, tasks] = await Promise.all([get("/api/backbones"), get("/api/tasks")]);
    const kinds = await Promise.all(tasks.map(async (one) => [one, await get(`/api/tasks/${one.name}`).catch(() => null)]));
    const other = reads(task.kind) === "image" ? "text" : "image";
    const their = kinds.find(([, found]) => found && reads(found.kind) === other);
    const trunk = backbones.find((one) => one.kind === other);
    const found = their && trunk ? await get(`/api/tasks/${their[0].name}/survey?backbone=${encodeURIComponent(trunk.name)}`).catch(() => null) : null;
    const [image, text] = other === "image" ? [found, survey] : [survey, found];
    fill(this.sides, sidesView(image, text));
  }
}

function twoStages(task, survey) {
  const solved = survey.plans["feature-extraction"]?.[""];
  const classes = task.classes.length;
  const width = survey.stages.at(-1).width;
  const trunk = survey.stages.reduce((sum, stage) => sum + stage.parameters, 0);
  const head = solved && classes ? (width + 1) * classes : null;
  return [
    h("div", { class: "card" }, h("h3", {}, "1. Pre-training: long, general, once"),
      h("p", {}, h("strong", {}, count(trunk)), ` parameters in ${survey.stages.length} stages learnt from ${survey.passport.source_data}. Somebody paid for it already; the weights can be had (licence ${survey.passport.license}).`),
      h("p", { class: "soft" }, "The chef's ten years: what is common to all cooking.")),
    h("div", { class: "card" }, h("h3", {}, "2. Transfer: short, particular, yours"),
      h("p", {}, "The old head is cut off and a new one grafted on. ", head ? [`For ${task.title} a linear head has `, h("strong", {}, count(head)), ` parameters, ${(trunk / head).toLocaleString("en", { maximumFractionDigits: 0 })} times fewer than the trunk, and `] : "It ", `learns from ${task.splits.train} samples. Whether the trunk itself may change, and how deep, is what the lab is for.`),
      h("p", { class: "soft" }, "The chef's first month in a new kitchen: a few spices, how the dishes are called."))];
}

function lookView(found) {
  const last = found.stages.at(-1);
  const picture = Boolean(found.view);
  const lines = [...new Set(found.stages.flatMap((stage) => stage.likeliest.map((one) => one.label)))];
  const shares = lines.filter((label) => last.likeliest.some((one) => one.label === label)).map((label) => ({ name: label, points: found.stages.map((stage, place) => ({ x: place, y: stage.likeliest.find((one) => one.label === label)?.share ?? null })) }));
  const most = Math.max(...found.stages.flatMap((stage) => stage.falls.map(Math.abs)), 0.02);
  return [
    chart({ title: "What a linear probe at each stage takes it for: the share of the last stage's three likeliest classes", height: 240, x: { label: "stage, input side first", ticks: found.stages.map((stage) => stage.name) }, y: { label: "share (%)", domain: [0, 1], said: (one) => (100 * one).toFixed(0) }, series: shares }),
    h("ol", { class: "looks" }, picture && h("li", { class: "look" }, h("strong", {}, "the picture"), png(found.view, "the picture as the network reads it")), found.stages.map((stage) => h("li", { class: picture ? "look" : "look wide" },
      h("strong", {}, stage.name), h("span", {}, `${stage.likeliest[0].label}, ${percent(stage.likeliest[0].share, 0)}`),
      stage.mean && [png(stage.mean, `${stage.name}: mean activation`), h("small", {}, "mean activation"), h("div", { class: "channels" }, stage.channels.map((one) => h("figure", {}, png(one.png, `channel ${one.number} of ${stage.name}`), h("figcaption", {}, `ch. ${one.number}`))))],
      stage.falls.length > 0 && h("p", { class: "marked small" }, found.words.map((word, place) => [h("mark", { class: stage.falls[place] >= 0 ? "for" : "against", title: `without it: ${points(-stage.falls[place])} points`, style: { "--strength": String(Math.min(Math.abs(stage.falls[place]) / most, 1)) } }, word), " "]))))),
    h("p", { class: "soft" }, picture ? "Brighter: the stage answers more strongly at that place. Beside it, its three strongest channels." : `Green words hold “${found.label}” up at that stage, orange ones speak against it.`)];
}

function png(base64, alt) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  return h("img", { src: url, alt, onload: () => URL.revokeObjectURL(url) });
}

function hierarchyView({ result, job }) {
  const names = result.stages.map((stage) => stage.name);
  const flat = (name, value, colour) => value === null ? [] : [{ name, colour, dots: false, dashed: true, points: names.map((_, x) => ({ x, y: value })) }];
  return [
    h("ul", {}, result.sentences.map((line) => h("li", {}, line))),
    chart({ title: "How well each stage serves the task: a linear probe on held-out training samples, with 80 % intervals", x: { label: "stage, input side first", ticks: names }, y: { label: `probe ${metricName(result.metric)} (%)`, said: (one) => (100 * one).toFixed(0) },
      series: [{ name: "held out", points: result.stages.map((stage, x) => ({ x, y: stage.probe_accuracy, low: stage.low, high: stage.high })) }, ...flat("all stages together", result.all_stages, 2), ...flat("raw input, no trunk", result.raw, 1), ...flat("largest class", result.chance, 6)] }),
    ckaView(names, result.cka),
    result.filters && h("figure", {}, h("figcaption", {}, `The ${result.filters.count} filters of the first layer (${result.filters.layer}); grey is weight 0`), h("div", { class: "wide-picture" }, png(result.filters.png, "the first layer's filters"))),
    result.patches.map((one) => h("figure", {}, h("figcaption", {}, `${one.stage}: where single channels answer most; one place looks at about ${Math.min(Math.round(one.field), one.side)} of ${one.side} pixels`),
      h("div", { class: "strips" }, one.channels.map((channel) => h("figure", {}, png(channel.png, `strongest patches of channel ${channel.number}`), h("figcaption", {}, `channel ${channel.number}: most for ${channel.label}`)))))),
    h("div", { class: "actions" }, h("a", { class: "button quiet", href: `/api/jobs/${job.name}/report.html`, target: "_blank", rel: "noopener" }, "Report"), h("span", { class: "soft" }, `measured in ${duration(result.seconds)}`))];
}

function ckaView(names, matrix) {
  const cell = (value) => h("td", { class: "cka", style: { "--strength": String(Math.max(value, 0)) } }, value.toFixed(2));
  return h("figure", {}, h("figcaption", {}, "How alike the stages see the samples (linear CKA: 1 the same up to rotation, 0 unrelated)"),
    h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "likeness of stages" }, h("table", { class: "matrix" }, h("thead", {}, h("tr", {}, h("th", {}), names.map((name) => h("th", {}, name)))),
      h("tbody", {}, matrix.map((row, place) => h("tr", {}, h("th", {}, names[place]), row.map(cell)))))));
}

function sidesView(image, text) {
  const name = (one) => (one ? `${shortName(one.name)}: ${one.stages[0].name} … ${one.stages.at(-1).name}` : "none here; start the studio with --backbone FOLDER to see one");
  const size = (one) => (one ? one.stages.map((stage) => `${stage.name} ${count(stage.parameters)}`).join(", ") : "");
  const rows = [
    ["The trunk here", name(image), name(text)],
    ["Its stages", size(image), size(text)],
    ["What it learnt first", "edges, colours, textures; then parts; then whole objects", "pieces of words; then grammar and which word goes with which; then meaning in context"],
    ["What is replaced", "the layer that names the source's classes", "the layer that guesses words, or none: sentence encoders end in a vector"],
    ["What is grafted", "a classifier on the pooled features of the last stage, or of an earlier one when the pictures are of another world", "a classifier on one vector for the sentence; on each word for tags; on start and end for answers"],
    ["What is trained with few labels", "the head alone: the features serve as they are", "the head alone, or small adapters: language shifts less than pictures do"],
    ["What is trained with more", "the last stages too, slowly; early ones stay, they are general", "all layers at a very small rate that falls toward the input, with a warm-up"],
    ["Why not all at once", "large steps from a random head destroy what was learnt; and the network forgets", "the same: the first steps are the most harmful, so the head learns first, or the rate rises slowly"],
  ];
  return h("div", { class: "table sides" }, h("table", {}, h("thead", {}, h("tr", {}, ["", "Pictures", "Language"].map((one) => h("th", {}, one)))), h("tbody", {}, rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map((one) => h("td", { class: "wrap" }, one)))))));
}

function where() {
  return h("div", { class: "two" },
    h("section", { class: "card" }, h("h3", { class: "good" }, "Most effective"), h("ul", {},
      h("li", {}, "You have few labels, and labels are dear: medicine, industry, rare classes."),
      h("li", {}, "Your data resemble what the trunk has seen: photographs, everyday language."),
      h("li", {}, "Time or energy count: a head on frozen features is solved in seconds."),
      h("li", {}, "You want a sound first result before deciding anything else."))),
    h("section", { class: "card" }, h("h3", { class: "bad" }, "Not, or less"), h("ul", {},
      h("li", {}, "Your data are of another world: spectra, sensor traces, scripts the trunk never met. Then earlier stages, or training from scratch, may win."),
      h("li", {}, "You have very many labels: the advantage shrinks as they grow."),
      h("li", {}, "The source holds something wrong for you: biases and licence travel with the weights."),
      h("li", {}, "Transfer can hurt. ", h("a", { href: "#/compare" }, "Compare"), " trains the same network from scratch beside it and says so loudly."))));
}
