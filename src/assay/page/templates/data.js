"use strict";
/* The data of the page: deflated JSON in base 64. Structs are arrays in the order of scene.py. */

const LANE = { worker: 0, role: 1, tracks: 2 };
const ALIVE = { lane: 0, from: 1, to: 2, name: 3 };
const BAR = { life: 0, lane: 1, track: 2, from: 3, to: 4, how: 5, name: 6 };
const MARK = { at: 0, until: 1, fault: 2, told: 3, kills: 4, lane: 5, life: 6, event: 7 };
const ARROW = { source: 0, target: 1, why: 2 };
const LIFE = {
  id: 0, task: 1, outcome: 2, verdict: 3, fault: 4, point: 5, attempts: 6, recovery: 7,
  broker: 8, executed: 9, result: 10, lie: 11, tale: 12, shown: 13,
};
const WELL = new Set(["ok", "recovered", "revoked"]);
const BAD = new Set(["lost", "stuck", "looping", "duplicated", "failed"]);

async function unpacked(text) {
  if (!window.DecompressionStream) throw new Error("this browser is too old: it has no DecompressionStream");
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { parts } = JSON.parse(await new Response(stream).text());
  const data = { scenes: parts.map((part) => part.scene), strings: parts.flatMap((part) => part.strings) };
  for (const scene of data.scenes) {
    for (const column of ["number", "at_ns"]) {
      let sum = 0;
      scene.lines[column] = scene.lines[column].map((step) => (sum += step));
    }
  }
  return data;
}

function seconds(ns, digits = 3) {
  return `${(ns / 1e9).toFixed(digits)} s`;
}

function told(time) {
  if (time === null) return "";
  if (time >= 3600) return `${(time / 3600).toPrecision(2)} h`;
  return time < 0.05 ? "<0.1 s" : time < 9.95 ? `${time.toFixed(1)} s` : `${Math.round(time)} s`;
}

/* An element with attributes and children; text is never read as markup. */
function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== ""));
  return element;
}

function drawn(name, attributes = {}, title = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (title) {
    const text = document.createElementNS("http://www.w3.org/2000/svg", "title");
    text.textContent = title;
    element.append(text);
  }
  return element;
}

/* The lines of one life, and those around it that decide its fate: as story.py tells it. */
function linesOf(scene, strings, life) {
  const { lines, lives } = scene;
  const own = [];
  const around = [];
  const had = new Set([""]);
  let over = 0;
  let began = null;
  let last = -1;
  for (let at = 0; at < lines.kind.length; at++) {
    const kind = strings[lines.kind[at]];
    if (lines.life[at] === life) {
      own.push(at);
      if (!kind.startsWith("final_")) {
        had.add(strings[lines.worker[at]]);
        over = Math.max(over, lines.at_ns[at]);
      }
      if (kind === "published") began = askedAt(scene, strings, at);
    } else if (lines.around[at]) around.push(at);
    if (kind === "settled" || kind === "unsettled") last = at;
  }
  if (!own.length) return { began: 0, lines: [] };
  const first = lines.at_ns[own[0]];
  const near = around.filter((at) => {
    const kind = strings[lines.kind[at]];
    if (lines.around[at] === 2) return strings[lines.detail[at]].includes(lives[life][LIFE.id]);
    if (kind === "settled" || kind === "unsettled") return at === last;
    if (lines.at_ns[at] < first || !had.has(strings[lines.worker[at]])) return false;
    return lines.life[at] < 0 || lines.at_ns[at] <= over;
  });
  return { began: began ?? first, lines: [...own, ...near].sort((a, b) => a - b) };
}

/* A publication is recorded after its whole batch: when it was asked for, after the scene's beginning. */
function askedAt(scene, strings, at) {
  const detail = strings[scene.lines.detail[at]];
  const asked = /"asked_at_ns":(\d+)/.exec(detail);
  return asked ? Number(BigInt(asked[1]) - BigInt(scene.base_ns)) : scene.lines.at_ns[at];
}

/* The event as its process wrote it. */
function raw(scene, strings, at) {
  const { lines } = scene;
  const parts = [`"at_ns":${BigInt(scene.base_ns) + BigInt(lines.at_ns[at])}`, `"kind":${quoted(lines.kind)}`, `"pid":${lines.pid[at]}`];
  function quoted(column) {
    return JSON.stringify(strings[column[at]]);
  }
  for (const name of ["worker", "task", "attempt", "host"]) {
    if (strings[lines[name][at]]) parts.push(`"${name}":${quoted(lines[name])}`);
  }
  if (lines.life[at] >= 0) parts.push(`"invocation":${JSON.stringify(scene.lives[lines.life[at]][LIFE.id])}`);
  if (strings[lines.detail[at]]) parts.push(`"detail":${strings[lines.detail[at]]}`);
  return `{${parts.join(",")}}`;
}
