/* The filter, the table of invocations, and one life beside its raw events. */

const ROWS = 60; // that are in the table at first

class Invocations {
  constructor(data, timeline) {
    this.data = data;
    this.timeline = timeline;
    this.all = data.scenes.flatMap((scene, number) => scene.lives.map((life, at) => ({ scene: number, at, life, find: searchable(scene, life) })));
    this.kinds = new Set();
    this.rows = ROWS;
    this.find = (id) => document.getElementById(id);
    this.fillFilter();
    this.apply();
  }

  fillFilter() {
    const counts = new Map();
    for (const { life } of this.all) for (const kind of kindsOf(life)) counts.set(kind, (counts.get(kind) || 0) + 1);
    const order = ["violated", "unknown", "ledgers disagree", "lost", "stuck", "looping", "duplicated", "in doubt", "failed", "revoked", "recovered", "ok"];
    for (const kind of order.filter((each) => counts.has(each))) {
      const button = made("button", { type: "button", "aria-pressed": "false", "data-kind": kind }, `${signOf(kind)} ${kind} ${counts.get(kind)}`);
      button.addEventListener("click", () => {
        const on = !this.kinds.has(kind);
        this.kinds[on ? "add" : "delete"](kind);
        button.setAttribute("aria-pressed", String(on));
        this.apply();
      });
      this.find("kinds").append(button);
    }
    this.fill("by-fault", "any", this.all.map(({ life }) => life[LIFE.fault]));
    this.fill("by-task", "any", this.all.map(({ life }) => life[LIFE.task]));
    this.fill("by-point", "any", this.all.map(({ life }) => life[LIFE.point]));
    for (const id of ["by-fault", "by-task", "by-point"]) this.find(id).addEventListener("change", () => this.apply());
    this.find("by-text").addEventListener("input", () => this.apply());
    this.find("filter").addEventListener("submit", (event) => event.preventDefault());
    this.find("filter").addEventListener("reset", () => this.clear());
    this.find("more").addEventListener("click", () => {
      this.rows += 5 * ROWS;
      this.list();
    });
  }

  fill(id, all, values) {
    const known = [...new Set(values)].filter(Boolean).sort();
    this.find(id).append(made("option", { value: "" }, all), ...known.map((value) => made("option", { value }, value.replaceAll("_", " "))));
  }

  clear() {
    this.kinds.clear();
    for (const button of this.find("kinds").children) button.setAttribute("aria-pressed", "false");
    for (const id of ["by-fault", "by-task", "by-point", "by-text"]) this.find(id).value = "";
    this.apply();
  }

  only(task, point) {
    this.clear();
    this.find("by-task").value = task;
    this.find("by-point").value = point;
    this.apply();
  }

  apply() {
    const [fault, task, point, text] = ["by-fault", "by-task", "by-point", "by-text"].map((id) => this.find(id).value);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = [...this.kinds];
    this.found = this.all.filter(
      ({ life, find }) =>
        (!fault || life[LIFE.fault] === fault) &&
        (!task || life[LIFE.task] === task) &&
        (!point || life[LIFE.point] === point) &&
        (!kinds.length || kinds.some((kind) => kindsOf(life).includes(kind))) &&
        words.every((word) => find.includes(word)),
    );
    this.rows = ROWS;
    const all = this.found.length === this.all.length;
    const plain = this.data.scenes.reduce((sum, scene) => sum + scene.plain, 0);
    const more = plain ? `, and ${plain} that went plainly and are only counted` : "";
    this.find("count").textContent = all ? `${this.all.length} invocations${more}` : `${this.found.length} of ${this.all.length} invocations`;
    this.list();
    this.pale();
  }

  /* In the timeline what the filter leaves out is pale; a scene without any of it gives way to one that has some. */
  pale() {
    const { timeline, found } = this;
    if (timeline.scene && found.length && !found.some((each) => each.scene === timeline.number)) this.go(found[0].scene);
    const here = found.filter((each) => each.scene === timeline.number);
    timeline.filter(found.length === this.all.length ? null : new Set(here.map((each) => each.at)));
  }

  go(number) {
    this.find("scene").value = String(number);
    this.timeline.show(this.data.scenes[number], number);
  }

  list() {
    const body = document.querySelector("#list tbody");
    body.replaceChildren(...this.found.slice(0, this.rows).map((each) => this.row(each)));
    const left = this.found.length - this.rows;
    this.find("more").hidden = left <= 0;
    this.find("more").textContent = `Show more of the ${left} others`;
  }

  row({ scene, at, life }) {
    const tone = life[LIFE.verdict] || (BAD.has(life[LIFE.outcome]) ? "allowed" : "held");
    const outcome = `${signOf(life[LIFE.verdict] || life[LIFE.outcome])} ${wordsFor(life)}`;
    const where = life[LIFE.point] ? ` at ${life[LIFE.point].replaceAll("_", " ")}` : "";
    const link = made("a", { href: `#i-${life[LIFE.id]}`, class: "mono" }, life[LIFE.id].slice(0, 8));
    return made(
      "tr",
      { "aria-current": String(this.open === life) },
      made("td", {}, link),
      made("td", {}, life[LIFE.task]),
      made("td", { class: "scenario" }, this.data.scenes[scene].name || "chaos"),
      made("td", {}, made("span", { class: `chip ${tone}` }, outcome)),
      made("td", {}, `${life[LIFE.fault]}${where}`),
      made("td", {}, String(life[LIFE.attempts])),
      made("td", {}, told(life[LIFE.recovery])),
      made("td", {}, life[LIFE.lie] ? made("span", { class: "chip violated" }, "✗ disagree") : "agree"),
    );
  }

  byId(id) {
    return this.all.find(({ life }) => life[LIFE.id] === id);
  }

  /* One life: its facts, its events in order with what befell its workers, each line with an anchor. */
  show(each, number = -1) {
    const { scene: at, life } = each;
    const scene = this.data.scenes[at];
    this.open = life;
    this.go(at);
    this.pale();
    this.timeline.select(each.at);
    this.find("life").hidden = false;
    this.find("life-title").textContent = `${life[LIFE.task]} ${life[LIFE.id]}`;
    const recovery = life[LIFE.recovery] === null ? "" : `, begun again after ${told(life[LIFE.recovery])}`;
    this.facts([
      ["outcome", `${wordsFor(life)}${recovery}`],
      ["fault", `${life[LIFE.fault]}${life[LIFE.point] ? ` at ${life[LIFE.point]}` : ""}`],
      ["broker", life[LIFE.broker]],
      ["execution", life[LIFE.executed]],
      ["result", life[LIFE.result]],
      ["ledgers", life[LIFE.lie] || "they agree, as far as they were read"],
      ["scenario", `${scene.name} ${scene.folder}`],
    ]);
    const { began, lines } = linesOf(scene, this.data.strings, each.at);
    this.events(scene, at, lines, began, each.at, number);
    for (const row of document.querySelectorAll("#list tr[aria-current=true]")) row.setAttribute("aria-current", "false");
    const row = document.querySelector(`#list a[href="#i-${CSS.escape(life[LIFE.id])}"]`);
    if (row) row.closest("tr").setAttribute("aria-current", "true");
  }

  /* A line that is of no invocation, among those around it. */
  showAround(at, number) {
    const scene = this.data.scenes[at];
    this.open = null;
    this.go(at);
    this.timeline.selected = -1;
    this.timeline.highlight();
    const here = scene.lines.number.indexOf(number);
    this.find("life").hidden = false;
    this.find("life-title").textContent = `Event ${number} of ${scene.name || scene.folder}`;
    this.facts([]);
    const lines = [...scene.lines.number.keys()].slice(Math.max(0, here - 15), here + 16);
    this.events(scene, at, here < 0 ? [] : lines, 0, -1, number);
  }

  facts(them) {
    const rows = them.filter(([, value]) => value.trim()).map(([name, value]) => made("div", {}, made("dt", {}, name), made("dd", {}, value)));
    this.find("life-facts").replaceChildren(...rows);
  }

  events(scene, at, lines, began, life, number) {
    const { strings } = this.data;
    const when = (line) => (strings[scene.lines.kind[line]] === "published" && scene.lines.life[line] === life ? askedAt(scene, strings, line) : scene.lines.at_ns[line]);
    const rows = [...lines].sort((a, b) => when(a) - when(b) || a - b).map((line) => {
      const anchor = `e-${at}-${scene.lines.number[line]}`;
      const kind = strings[scene.lines.kind[line]];
      const other = scene.lines.life[line] >= 0 && scene.lines.life[line] !== life;
      const whose = other ? `, of invocation ${scene.lives[scene.lines.life[line]][LIFE.id].slice(0, 8)}` : "";
      const classes = [kind === "fault_landed" ? "strike" : "", scene.lines.life[line] !== life ? "around" : "", scene.lines.number[line] === number ? "here" : ""];
      const after = when(line) - began;
      return made(
        "tr",
        { id: anchor, class: classes.join(" ").trim() },
        made("td", {}, made("a", { href: `#${anchor}`, "aria-label": `Link to event ${scene.lines.number[line]}` }, "#")),
        made("td", {}, `${after < 0 ? "−" : "+"}${seconds(Math.abs(after))}`),
        made("td", {}, strings[scene.lines.lane[line]]),
        made("td", {}, strings[scene.lines.told[line]] + whose),
        made("td", {}, raw(scene, strings, line)),
      );
    });
    const none = made("tr", {}, made("td", { colspan: "5" }, "Its events are not in this page: they were left out for want of room."));
    document.querySelector("#events tbody").replaceChildren(...(rows.length ? rows : [none]));
  }
}

/* "lost, violated"; "violated" where the work was done, and something else that was promised did not hold. */
function wordsFor(life) {
  const [outcome, verdict] = [life[LIFE.outcome], life[LIFE.verdict]];
  return !verdict ? outcome : WELL.has(outcome) ? verdict : `${outcome}, ${verdict}`;
}

function kindsOf(life) {
  const kinds = [life[LIFE.outcome]];
  if (life[LIFE.verdict]) kinds.push(life[LIFE.verdict]);
  if (life[LIFE.lie]) kinds.push("ledgers disagree");
  return kinds;
}

function searchable(scene, life) {
  return [life[LIFE.id], life[LIFE.task], scene.name, life[LIFE.fault], life[LIFE.point], life[LIFE.lie], life[LIFE.tale], life[LIFE.result]].join(" ").toLowerCase();
}

function signOf(kind) {
  if (["violated", "ledgers disagree"].includes(kind)) return "✗";
  if (["unknown", "in doubt"].includes(kind)) return "?";
  return BAD.has(kind) ? "–" : "✓";
}
