// Charts as SVG, drawn to the width there is, with the numbers as a table below for those who want or need them.

import { fill, h, s, table } from "./dom.js";

// Okabe and Ito 2008: told apart by colour-blind readers too. The names are classes of the style sheet.
const SERIES = 7;
const EDGE = { top: 12, right: 16, bottom: 46, left: 58 };
const HEIGHT = 280;

/**
 * A chart of series over one pair of axes.
 *
 * @param {object} about `title`, `x` and `y` as {label, log, domain, said, ticks}, and `series`: [{name, points, dashed,
 *   line, dots, band, colour}] where a point is {x, y, low, high, said}. `marks`: [{x, said}] are vertical lines.
 */
export function chart(about) {
  const box = h("div", { class: "plot" });
  const legend = h("ul", { class: "legend" }, about.series.filter((one) => one.name && !one.hidden).map((one, place) =>
    h("li", {}, swatch(one, place), one.name)));
  const figure = h("figure", { class: "chart" },
    h("figcaption", {}, about.title), box, about.series.filter((one) => one.name && !one.hidden).length > 1 && legend, numbers(about));
  let width = 0;
  const watcher = new ResizeObserver(([entry]) => {
    const now = Math.round(entry.contentRect.width);
    if (now && now !== width) fill(box, drawn(about, (width = now)));
  });
  watcher.observe(box);
  return figure;
}

function swatch(one, place) {
  const colour = `series-${(one.colour ?? place) % SERIES}`;
  return s("svg", { class: `swatch ${colour}`, viewBox: "0 0 22 10", "aria-hidden": "true" },
    one.line !== false && s("line", { x1: 0, x2: 22, y1: 5, y2: 5, class: "line", "stroke-dasharray": one.dashed ? "4 3" : null }),
    one.dots !== false && s("circle", { cx: 11, cy: 5, r: 3.5, class: "dot" }));
}

function drawn(about, width) {
  const height = about.height ?? HEIGHT;
  const left = EDGE.left, right = width - EDGE.right, top = EDGE.top, bottom = height - EDGE.bottom;
  const all = about.series.flatMap((one) => one.points);
  const across = scale(about.x, all.map((one) => one.x), left, right, Math.max(Math.floor((right - left) / 80), 2));
  const up = scale(about.y, all.flatMap((one) => [one.y, one.low, one.high]).filter((one) => one !== null && one !== undefined), bottom, top, 5);
  const node = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${about.title}. ${about.y.label} against ${about.x.label}.` });
  for (const tick of up.ticks) {
    node.append(s("line", { class: "grid-line", x1: left, x2: right, y1: up.at(tick), y2: up.at(tick) }),
      s("text", { class: "tick", x: left - 8, y: up.at(tick) + 4, "text-anchor": "end" }, up.said(tick)));
  }
  for (const tick of across.ticks) {
    node.append(s("line", { class: "axis", x1: across.at(tick), x2: across.at(tick), y1: bottom, y2: bottom + 4 }));
    tickLabel(node, across, tick, bottom + 18, about.x, (right - left) / Math.max(across.ticks.length, 1));
  }
  node.append(s("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    s("text", { class: "label", x: (left + right) / 2, y: height - 6, "text-anchor": "middle" }, about.x.label),
    s("text", { class: "label", x: -(top + bottom) / 2, y: 14, "text-anchor": "middle", transform: "rotate(-90)" }, about.y.label));
  for (const mark of about.marks ?? []) {
    node.append(s("line", { class: "mark", x1: across.at(mark.x), x2: across.at(mark.x), y1: top, y2: bottom }, s("title", {}, mark.said)));
  }
  about.series.forEach((one, place) => node.append(seriesOf(one, place, across, up)));
  return node;
}

function tickLabel(node, across, tick, y, axis, room) {
  const words = across.said(tick);
  const most = Math.max(Math.floor(room / 7), 3);
  const shown = words.length > most && axis.ticks ? `${words.slice(0, most - 1)}…` : words;
  node.append(s("text", { class: "tick", x: across.at(tick), y, "text-anchor": "middle" }, s("title", {}, words), shown));
}

function seriesOf(one, place, across, up) {
  const points = one.points.filter((point) => point.y !== null && point.y !== undefined);
  const group = s("g", { class: `series-${(one.colour ?? place) % SERIES}` });
  const path = (pairs) => pairs.map(([x, y], number) => `${number ? "L" : "M"}${across.at(x).toFixed(1)} ${up.at(y).toFixed(1)}`).join("");
  if (one.band && points.length > 1) {
    const bounds = [...points.map((point) => [point.x, point.high ?? point.y]), ...points.toReversed().map((point) => [point.x, point.low ?? point.y])];
    group.append(s("path", { class: "band", d: `${path(bounds)}Z` }));
  }
  if (one.line !== false && points.length > 1) {
    group.append(s("path", { class: "line", d: path(points.map((point) => [point.x, point.y])), "stroke-dasharray": one.dashed ? "5 4" : null }));
  }
  if (one.dots !== false) for (const point of points) group.append(dot(one, point, across, up));
  return group;
}

function dot(one, point, across, up) {
  const x = across.at(point.x), y = up.at(point.y);
  const bar = !one.band && point.low !== null && point.low !== undefined;
  return s("g", {},
    s("title", {}, point.said ?? `${one.name}: ${up.said(point.y)} at ${across.said(point.x)}`),
    bar && s("path", { class: "error-bar", d: `M${x} ${up.at(point.low)}V${up.at(point.high)}M${x - 5} ${up.at(point.low)}h10M${x - 5} ${up.at(point.high)}h10` }),
    s("circle", { class: "dot", cx: x, cy: y, r: point.strong ? 7 : 4 }));
}

function scale(axis, values, from, to, wanted) {
  const finite = values.filter(Number.isFinite);
  let [low, high] = axis.domain ?? [Math.min(...finite), Math.max(...finite)];
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  if (axis.log) {
    low = Math.max(low, 1e-6);
    high = Math.max(high, low * 1.01);
    const [first, last] = [Math.log10(low) - 0.05, Math.log10(high) + 0.05];
    return { at: (one) => from + ((Math.log10(Math.max(one, 1e-6)) - first) / (last - first)) * (to - from), ticks: logTicks(10 ** first, 10 ** last, wanted), said: axis.said ?? short };
  }
  if (axis.ticks) {
    return { at: (one) => from + ((one + 0.5) / axis.ticks.length) * (to - from), ticks: axis.ticks.map((_, place) => place), said: (one) => axis.ticks[one] };
  }
  if (!axis.domain) {
    const room = (high - low || Math.abs(high) || 1) * 0.08;
    if (low !== 0) low -= room;
    high += room;
  }
  const ticks = roundTicks(low, high, wanted, axis.whole);
  return { at: (one) => from + ((one - low) / (high - low)) * (to - from), ticks, said: axis.said ?? short };
}

function roundTicks(low, high, wanted, whole) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  if (whole) step = Math.max(Math.round(step), 1);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-6; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

function logTicks(low, high, wanted) {
  for (const parts of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      for (const part of parts) {
        const tick = part * 10 ** power;
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    }
    if (ticks.length <= wanted + 1) return ticks.length ? ticks : [low, high];
  }
  return [10 ** Math.ceil(Math.log10(low)), 10 ** Math.floor(Math.log10(high))];
}

function short(value) {
  if (Math.abs(value) >= 1000) return `${Number((value / 1000).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}

function numbers(about) {
  const said = { x: about.x.said ?? ((one) => about.x.ticks?.[one] ?? short(one)), y: about.y.said ?? short };
  const rows = about.series.filter((one) => !one.hidden).flatMap((one) => one.points.map((point) => [
    one.name, said.x(point.x), point.y === null || point.y === undefined ? "" : said.y(point.y),
    point.low === null || point.low === undefined ? "" : `${said.y(point.low)} to ${said.y(point.high)}`]));
  return h("details", { class: "numbers" }, h("summary", {}, "As a table"),
    table(["series", about.x.label, about.y.label, "interval"], rows, { numbers: [1, 2, 3], caption: about.title }));
}

/** Horizontal bars of shares, with their names in full. `rows`: [{name, share, strong}]. */
export function bars(title, rows, said, onpick) {
  return h("figure", { class: "bars" }, h("figcaption", {}, title),
    h("ol", {}, rows.map((row) => {
      const bar = h("span", { class: row.strong ? "bar strong" : "bar", style: { width: `${Math.max(100 * row.share, 0.5)}%` } });
      const name = onpick ? h("button", { class: "link", type: "button", "aria-pressed": String(Boolean(row.strong)), onclick: () => onpick(row.name) }, row.name) : row.name;
      return h("li", {}, h("span", { class: "name" }, name), h("span", { class: "track", "aria-hidden": "true" }, bar), h("span", { class: "value" }, said(row.share)));
    })));
}
