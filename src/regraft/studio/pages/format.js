// Numbers as people read them.

const NAMES = { f1: "F1", macro_f1: "macro F1", entity_f1: "entity F1", pearson: "Pearson correlation" };

/** A metric's name. */
export function metricName(name) {
  return NAMES[name] ?? (name ?? "").replaceAll("_", " ");
}

/** A share as per cent: 0.8753 is "87.5 %". */
export function percent(share, digits = 1) {
  return share === null || share === undefined ? "not known" : `${(100 * share).toFixed(digits)} %`;
}

/** A difference of shares as points, with its sign. */
export function points(share) {
  const value = (100 * share).toFixed(1);
  return `${share >= 0 && !value.startsWith("-") ? "+" : ""}${value}`.replace("-", "−");
}

/** A duration: "0.4 s", "38 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "not known";
  if (seconds < 9.95) return `${seconds.toPrecision(2)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** How many: "950", "11.2 k", "22.6 M". */
export function count(value) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return String(value);
}

const RAISED = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/** A learning rate: 0.0002 is "2.0·10⁻⁴". */
export function rate(value) {
  if (!value) return "0";
  const [head, exponent] = value.toExponential(1).split("e");
  return `${head}·10${[...String(Number(exponent))].map((one) => RAISED[one]).join("")}`;
}

/** An interval in square brackets. */
export function between(low, high, said = percent) {
  return low === null || low === undefined ? "" : `[${said(low)}, ${said(high)}]`;
}

/** A strategy's name with spaces. */
export function strategyName(name) {
  return { lora: "LoRA", "lp-ft": "LP-FT (head first, then all)" }[name] ?? name.replaceAll("-", " ");
}
