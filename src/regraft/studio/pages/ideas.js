import { h, fill } from "./dom.js"; export function show(root){ fill(root, h("h1", {}, "Compare")); }
