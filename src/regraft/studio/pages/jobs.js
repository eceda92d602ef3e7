// Long work: asked for, watched while it runs, found again after a reload.

import { get, post, remove } from "./api.js";

const EVERY = 700; // milliseconds between looks while something runs

/** What is known of each job by name: {job, events, after, result}. */
const known = new Map();
const watchers = new Set();
let timer = null;

const LIVE = ["waiting", "running"];
export const live = (one) => LIVE.includes(one.job.state);

/** All jobs of some kinds, the newest first. */
export function jobs(...verbs) {
  return [...known.values()].filter((one) => verbs.includes(one.job.verb)).sort((a, b) => b.job.created - a.job.created);
}

/** Call `watcher` now and whenever something changes, until the returned function is called. */
export function watch(watcher) {
  watchers.add(watcher);
  look();
  return () => watchers.delete(watcher);
}

function tell() {
  for (const watcher of watchers) watcher();
}

/** Ask the server for the list, and for the details of what is not known to its end. */
async function look() {
  clearTimeout(timer);
  timer = null;
  try {
    const listed = await get("/api/jobs");
    const names = new Set(listed.map((job) => job.name));
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    await Promise.all(listed.map(follow));
  } catch (error) {
    console.warn(error.message);
  }
  tell();
  if ([...known.values()].some(live) && watchers.size) timer = setTimeout(look, EVERY);
}

async function follow(job) {
  const before = known.get(job.name);
  if (before && !live(before) && before.complete) return;
  const found = await get(`/api/jobs/${job.name}?after=${before?.after ?? 0}`);
  known.set(job.name, {
    ...found,
    events: [...(before?.events ?? []), ...found.events],
    complete: !LIVE.includes(found.job.state),
  });
}

/** Put a job in line; resolves to its name. */
export async function ask(body) {
  const job = await post("/api/jobs", body);
  known.set(job.name, { job, events: [], after: 0, result: null });
  tell();
  look();
  return job.name;
}

/** The job of that name as known now. */
export const jobNamed = (name) => known.get(name);

export async function cancel(name) {
  await post(`/api/jobs/${name}/cancel`);
  look();
}

export async function forget(name) {
  await remove(`/api/jobs/${name}`);
  known.delete(name);
  tell();
}

/** How far a live job is: what it does now, the share done, the seconds left. */
export function progress(one) {
  if (one.job.state === "waiting") {
    const ahead = one.job.before - 1;
    return { said: ahead > 0 ? `waiting; ${ahead} before it` : "waiting for a free worker", share: null, left: null };
  }
  const said = one.events.findLast((event) => event.type === "progress");
  const left = one.events.findLast((event) => event.left !== undefined && event.left !== null);
  const planned = one.events.find((event) => event.type === "plan")?.steps;
  const steps = one.events.filter((event) => ["step", "trial"].includes(event.type)).length;
  const within = said?.what.startsWith("epoch") && said.total ? said.done / said.total : 0;
  const now = said ? `${said.what}${said.total > 1 ? ` ${said.done}/${said.total}` : ""}` : "loading data and weights";
  const share = planned ? Math.min((steps + within * (said === one.events.at(-1) ? 1 : 0)) / planned, 1) : null;
  return { said: now, share, left: left?.left ?? null };
}
