/* One scene drawn to scale: lanes are processes, bars are attempts, faults go over all lanes. */

const LANE_PX = 20;
const TRACK_PX = 9;
const TOP_PX = 40;
const MOST_PX = 250000;

class Timeline {
  constructor(box, said, opens) {
    this.box = box;
    this.said = said;
    this.opens = opens; // {life(scene, number), event(scene, number)}
    this.zoom = 1;
    this.wanted = null; // lives that the filter leaves; null: all
    this.selected = -1;
    this.mark = -1;
  }

  show(scene, number) {
    if (this.scene === scene) return;
    Object.assign(this, { scene, number, zoom: 1, selected: -1, mark: -1 });
    this.draw();
    this.box.scrollTo(0, 0);
  }

  room() {
    const names = this.box.querySelector(".names");
    return Math.max(200, this.box.clientWidth - (names ? names.offsetWidth : 132) - 26);
  }

  x(ns) {
    return 8 + (ns / (this.scene.span_ns || 1)) * this.inner;
  }

  draw() {
    const { scene } = this;
    this.box.replaceChildren();
    const grid = made("div", { class: "grid2" });
    const names = made("div", { class: "names" });
    grid.append(made("div", { class: "corner" }, `${scene.lanes.length} lanes`), made("div", { class: "axis" }), names);
    this.box.append(grid);
    this.tops = [];
    let y = 4;
    for (const lane of scene.lanes) {
      const height = Math.max(LANE_PX, lane[LANE.tracks] * TRACK_PX + 6);
      const name = made("div", { title: `${lane[LANE.worker]} ${lane[LANE.role]}` }, made("b", {}, lane[LANE.worker]), made("span", {}, lane[LANE.role]));
      name.style.height = `${height}px`;
      names.append(name);
      this.tops.push([y, height]);
      y += height;
    }
    names.style.paddingTop = "4px";
    this.height = y + 6;
    this.inner = Math.min(MOST_PX, this.room() * this.zoom);
    const many = scene.marks.length > 30 ? "many" : "";
    this.svg = drawn("svg", { class: many, width: this.inner + 24, height: this.height, role: "img" });
    this.svg.setAttribute("aria-label", this.summary());
    this.drawTicks(grid.querySelector(".axis"));
    this.drawMarks(grid.querySelector(".axis"));
    this.drawBars();
    grid.append(this.svg);
    this.highlight();
  }

  summary() {
    const { scene } = this;
    const many = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
    return `${seconds(scene.span_ns, 1)}: ${many(scene.lanes.length, "lane")}, ${many(scene.bars.length, "attempt")}, ${many(scene.marks.length, "landed fault")}. The table of invocations below says the same in words.`;
  }

  drawTicks(axis) {
    const about = (this.scene.span_ns / this.inner) * 110;
    const power = 10 ** Math.floor(Math.log10(about || 1));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= about) || 1e9;
    this.axis = drawn("svg", { width: this.inner + 24, height: TOP_PX, "aria-hidden": "true" });
    const digits = Math.max(0, Math.ceil(-Math.log10(step / 1e9) - 1e-9));
    for (let at = 0; at <= this.scene.span_ns; at += step) {
      const x = this.x(at);
      const text = drawn("text", { x: x + 3, y: TOP_PX - 5 });
      text.textContent = seconds(at, digits);
      this.axis.append(drawn("path", { class: "grid", d: `M${x} ${TOP_PX - 14}V${TOP_PX}` }), text);
      this.svg.append(drawn("path", { class: "grid", d: `M${x} 0V${this.height}` }));
    }
    axis.append(this.axis);
  }

  drawMarks() {
    this.marks = [];
    const shared = this.scene.lanes.some((lane) => lane[LANE.worker].startsWith("place "));
    this.said.textContent = shared ? "Workers that followed each other share a place." : "";
    for (const process of this.scene.processes) {
      const [y, height] = this.tops[process[ALIVE.lane]];
      const x = this.x(process[ALIVE.from]);
      const width = Math.max(1, this.x(process[ALIVE.to]) - x);
      this.svg.append(drawn("rect", { class: "alive", x, y: y + 2, width, height: height - 4 }, process[ALIVE.name]));
      const name = process[ALIVE.name].replace(" main", "");
      if (shared && this.scene.lanes[process[ALIVE.lane]][LANE.role] === "main" && width > 6.5 * name.length) {
        const text = drawn("text", { x: x + 3, y: y + height - 6 });
        text.textContent = name;
        this.svg.append(text);
      }
    }
    let free = -1;
    this.scene.marks.forEach((mark, number) => {
      const x = this.x(mark[MARK.at]);
      const title = `${mark[MARK.told]}, at ${seconds(mark[MARK.at])}`;
      const group = drawn("g", { class: "mark" }, title);
      const head = drawn("g", { class: "mark" }, title);
      if (mark[MARK.until] >= 0) {
        group.append(drawn("rect", { class: "lasts", x, y: 0, width: Math.max(1, this.x(mark[MARK.until]) - x), height: this.height }));
      }
      group.append(drawn("path", { class: mark[MARK.kills] ? "kill" : "fault", d: `M${x} 0V${this.height}` }));
      head.append(drawn("path", { class: mark[MARK.kills] ? "flag" : "flag other", d: `M${x - 5} 14h10l-5 8z` }));
      if (x > free) {
        const words = drawn("text", { x: x + 8, y: 13 });
        words.textContent = mark[MARK.told];
        const after = this.scene.marks[number + 1];
        const wide = 6.2 * mark[MARK.told].length + 14;
        if (!after || this.x(after[MARK.at]) - x > wide || free < 0) {
          if (x + wide > this.inner + 24 && x > wide) words.setAttribute("x", x - wide);
          head.append(words);
          free = x + wide;
        }
      }
      head.addEventListener("click", () => this.opens.event(this.number, mark[MARK.event]));
      this.svg.append(group);
      this.axis.append(head);
      this.marks.push([group, head]);
    });
  }

  drawBars() {
    this.bars = this.scene.bars.map((bar) => {
      const [top, height] = this.tops[bar[BAR.lane]];
      const thick = (height - 8) / this.scene.lanes[bar[BAR.lane]][LANE.tracks];
      const x = this.x(bar[BAR.from]);
      const width = Math.max(2, this.x(bar[BAR.to]) - x);
      const y = top + 4 + bar[BAR.track] * thick;
      const how = { ended: "raised", "done, then killed": "done" }[bar[BAR.how]] || bar[BAR.how];
      const life = this.scene.lives[bar[BAR.life]];
      const title = `${life[LIFE.task]} ${life[LIFE.id].slice(0, 8)}, ${bar[BAR.name]}, ${seconds(bar[BAR.from])} to ${seconds(bar[BAR.to])}`;
      const group = drawn("g", { class: "life" }, title);
      group.append(drawn("rect", { class: `bar-${how}`, x, y, width, height: Math.max(3, thick - 1) }));
      if (bar[BAR.how].endsWith("killed")) {
        const [cx, cy] = [x + width, y + thick / 2];
        group.append(drawn("path", { class: "cross", d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` }));
      }
      group.addEventListener("click", () => this.opens.life(this.number, bar[BAR.life]));
      this.svg.append(group);
      return { group, x, width, middle: y + thick / 2, life: bar[BAR.life] };
    });
    this.arrows = this.scene.arrows.map((arrow) => {
      const from = this.bars[arrow[ARROW.source]];
      const to = this.bars[arrow[ARROW.target]];
      const [x1, y1, x2, y2] = [from.x + from.width + 4, from.middle, to.x, to.middle];
      const bend = Math.max(10, Math.min(60, Math.abs(x2 - x1) / 2));
      const lift = y1 === y2 ? -12 : 0;
      const group = drawn("g", {}, `begun again: ${arrow[ARROW.why]}`);
      const path = `M${x1} ${y1}C${x1 + bend} ${y1 + lift} ${x2 - bend} ${y2 + lift} ${x2 - 5} ${y2}`;
      group.append(drawn("path", { class: `arrow ${arrow[ARROW.why] === "retry" ? "retry" : ""}`, d: path }));
      group.append(drawn("path", { class: "head", d: `M${x2 - 6} ${y2 - 3.5}l6 3.5l-6 3.5z` }));
      this.svg.append(group);
      return { group, life: from.life };
    });
  }

  /* What the filter leaves stays, the rest is pale; the selected life has an outline. */
  highlight() {
    const kept = (life) => (this.wanted === null || this.wanted.has(life)) && (this.selected < 0 || life === this.selected);
    for (const each of [...this.bars, ...this.arrows]) {
      each.group.classList.toggle("off", !kept(each.life));
      each.group.classList.toggle("on", each.life === this.selected);
    }
    this.scene.marks.forEach((mark, number) => {
      const pale = mark[MARK.life] >= 0 ? !kept(mark[MARK.life]) : this.selected >= 0;
      for (const group of this.marks[number]) group.classList.toggle("off", pale && this.scene.marks.length > 1);
    });
  }

  filter(wanted) {
    this.wanted = wanted;
    if (this.scene) this.highlight();
  }

  select(life) {
    this.selected = life;
    const mine = this.scene.bars.filter((bar) => bar[BAR.life] === life);
    if (mine.length) {
      const [from, to] = [mine[0][BAR.from], Math.max(...mine.map((bar) => bar[BAR.to]))];
      const wide = ((to - from) / (this.scene.span_ns || 1)) * this.inner;
      if (wide < 60) this.zoomTo(Math.min((this.zoom * this.room() * 0.3) / Math.max(wide, 0.01), MOST_PX / this.room()));
      this.center((from + to) / 2);
      const [top] = this.tops[mine[0][BAR.lane]];
      this.box.scrollTop = Math.max(0, top - 60);
    }
    this.highlight();
  }

  zoomTo(zoom) {
    const box = this.box;
    const middle = (box.scrollLeft + box.clientWidth / 2) / (this.inner || 1);
    const top = box.scrollTop;
    this.zoom = Math.min(Math.max(1, zoom), MOST_PX / this.room());
    this.draw();
    box.scrollLeft = middle * this.inner - box.clientWidth / 2;
    box.scrollTop = top;
  }

  center(ns) {
    this.box.scrollLeft = this.x(ns) - this.room() / 2;
  }

  /* The next fault, or the one before: centred and told. */
  step(by) {
    const { marks } = this.scene;
    if (!marks.length) {
      this.said.textContent = "No fault landed here.";
      return;
    }
    this.mark = (this.mark + by + marks.length + (this.mark < 0 && by < 0 ? 1 : 0)) % marks.length;
    const mark = marks[this.mark];
    this.center(mark[MARK.at]);
    this.marks.forEach(([group], number) => group.firstElementChild.parentNode.classList.toggle("here", number === this.mark));
    const whose = mark[MARK.life] >= 0 ? `, invocation ${this.scene.lives[mark[MARK.life]][LIFE.id].slice(0, 8)}` : "";
    this.said.replaceChildren(
      `Fault ${this.mark + 1} of ${marks.length}, at ${seconds(mark[MARK.at])}: ${mark[MARK.told]}${whose}. `,
      made("a", { href: `#e-${this.number}-${mark[MARK.event]}` }, "Its event"),
    );
  }
}
