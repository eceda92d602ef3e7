// The stages of a backbone as a row of blocks (a column where there is no room), with a handle between frozen and trained.

import { fill, h } from "./dom.js";
import { count, rate } from "./format.js";

/** The row; `onmove(frozen)` is called as the handle moves. */
export class StageRow {
  constructor(stages, onmove) {
    this.stages = stages;
    this.onmove = onmove;
    this.frozen = stages.length;
    this.allowed = null;
    this.blocks = stages.map((stage) => h("li", { class: "block" },
      h("span", { class: "name" }, stage.name), h("span", { class: "state" }), h("span", { class: "size" }, `${count(stage.parameters)} par.`)));
    this.head = h("li", { class: "block head" }, h("span", { class: "name" }, "head"), h("span", { class: "state" }), h("span", { class: "size" }, "new"));
    this.handle = h("button", { class: "handle", type: "button", role: "slider", "aria-label": "Boundary: how many leading stages are frozen", "aria-valuemin": "0", "aria-valuemax": String(stages.length) });
    this.list = h("ol", { class: "blocks" }, this.blocks, this.head);
    this.element = h("div", { class: "stages" }, this.list, this.handle);
    this.drag();
    this.handle.addEventListener("keydown", (event) => this.key(event));
    this.resized = new ResizeObserver(() => this.settle());
    this.resized.observe(this.element);
  }

  /** Show a plan: what each stage does in its last phase, and where the handle stands. */
  show(plan, frozen, allowed) {
    this.frozen = frozen;
    this.allowed = allowed;
    const last = plan.phases.at(-1);
    this.blocks.forEach((block, place) => {
      const now = last.rates[place];
      const tapped = last.taps?.includes(this.stages[place].name);
      block.className = `block ${plan.start === "random" ? "random" : now ? "trained" : "frozen"}${tapped ? " tapped" : ""}`;
      fill(block.querySelector(".state"), now ? [last.adapter ? `LoRA rank ${last.adapter}, ` : "", `rate ${rate(now)}`] : tapped ? "frozen, read by the head" : "frozen");
    });
    fill(this.head.querySelector(".state"), last.solved ? `${plan.head}, solved` : `${plan.head}, rate ${rate(last.head_rate)}`);
    const where = frozen === 0 ? "nothing is frozen" : `frozen up to ${this.stages[frozen - 1].name}`;
    this.handle.setAttribute("aria-valuenow", String(frozen));
    this.handle.setAttribute("aria-valuetext", where);
    this.handle.disabled = allowed.length < 2;
    this.element.classList.toggle("fixed", allowed.length < 2);
    this.settle();
  }

  /** Put the handle on the edge that it stands for. */
  settle() {
    const [x, y] = this.edge(this.frozen);
    this.handle.style.setProperty("left", `${x}px`);
    this.handle.style.setProperty("top", `${y}px`);
  }

  upright() {
    return this.blocks.length > 1 && this.blocks[1].offsetTop > this.blocks[0].offsetTop + 4;
  }

  edge(frozen) {
    const upright = this.upright();
    const before = this.blocks[frozen - 1], after = this.blocks[frozen] ?? this.head;
    if (upright) {
      const y = before ? (before.offsetTop + before.offsetHeight + after.offsetTop) / 2 : after.offsetTop - 3;
      return [this.list.offsetWidth / 2, y];
    }
    const x = before ? (before.offsetLeft + before.offsetWidth + after.offsetLeft) / 2 : after.offsetLeft - 3;
    return [x, this.list.offsetHeight / 2];
  }

  move(frozen) {
    if (frozen !== this.frozen && this.allowed?.includes(frozen)) this.onmove(frozen);
  }

  nearest(event) {
    const box = this.element.getBoundingClientRect();
    const upright = this.upright();
    const at = upright ? event.clientY - box.top : event.clientX - box.left;
    const away = (frozen) => Math.abs(this.edge(frozen)[upright ? 1 : 0] - at);
    return (this.allowed ?? []).reduce((best, one) => (away(one) < away(best) ? one : best), this.allowed?.[0] ?? this.frozen);
  }

  drag() {
    const follow = (event) => this.move(this.nearest(event));
    this.handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.handle.focus();
      this.handle.setPointerCapture(event.pointerId);
      this.handle.addEventListener("pointermove", follow);
    });
    for (const end of ["pointerup", "pointercancel"]) this.handle.addEventListener(end, () => this.handle.removeEventListener("pointermove", follow));
    this.list.addEventListener("click", follow);
  }

  key(event) {
    const order = [...(this.allowed ?? [])].sort((a, b) => a - b);
    const here = order.indexOf(this.frozen);
    const steps = { ArrowRight: here + 1, ArrowDown: here + 1, ArrowLeft: here - 1, ArrowUp: here - 1, Home: 0, End: order.length - 1, PageUp: here - 2, PageDown: here + 2 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    this.move(order[Math.min(Math.max(steps[event.key], 0), order.length - 1)]);
  }
}
