/* What begins all, and what the address says. */

async function start() {
  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "Copied";
    });
  }
  const packed = document.getElementById("data");
  if (!packed) return;
  const data = await unpacked(packed.textContent);
  const find = (id) => document.getElementById(id);
  find("live").hidden = false;
  const goes = (to) => (location.hash = to);
  const timeline = new Timeline(find("chart"), find("said"), {
    life: (scene, at) => goes(`i-${data.scenes[scene].lives[at][LIFE.id]}`),
    event: (scene, number) => goes(`e-${scene}-${number}`),
  });
  data.scenes.forEach((scene, number) => {
    const name = scene.name ? `${scene.name} ${scene.task}: ${scene.verdict}, ${scene.word}` : `the chaos run: ${scene.verdict}`;
    find("scene").append(made("option", { value: String(number) }, name));
  });
  find("which").hidden = data.scenes.length < 2;
  find("list").classList.toggle("alone", data.scenes.length < 2);
  timeline.show(data.scenes[0], 0);
  const invocations = new Invocations(data, timeline);
  find("scene").addEventListener("change", (event) => goes(`s-${event.target.value}`));
  find("before").addEventListener("click", () => timeline.step(-1));
  find("after").addEventListener("click", () => timeline.step(1));
  find("in").addEventListener("click", () => timeline.zoomTo(timeline.zoom * 2));
  find("out").addEventListener("click", () => timeline.zoomTo(timeline.zoom / 2));
  find("fit").addEventListener("click", () => timeline.zoomTo(1));
  find("chart").addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") timeline.zoomTo(timeline.zoom * 2);
    if (event.key === "-") timeline.zoomTo(timeline.zoom / 2);
  });
  for (const cell of document.querySelectorAll("button[data-point]")) {
    cell.addEventListener("click", () => {
      invocations.only(cell.dataset.task, cell.dataset.point);
      into(find("timeline"), "start");
      find("by-task").focus({ preventScroll: true });
    });
  }
  let wide = innerWidth;
  addEventListener("resize", () => {
    if (wide !== innerWidth) timeline.zoomTo(timeline.zoom);
    wide = innerWidth;
  });
  addEventListener("hashchange", () => go(invocations, data));
  go(invocations, data);
  document.documentElement.dataset.ready = String(performance.now());
}

/* #i-ID opens a life, #e-SCENE-NUMBER an event in its life, #s-SCENE a scene. */
function go(invocations, data) {
  const [what, ...rest] = decoded(location.hash.slice(1)).split("-");
  if (what === "s" && data.scenes[rest[0]]) {
    invocations.timeline.selected = -1;
    invocations.go(Number(rest[0]));
    invocations.pale();
    document.getElementById("chart").focus({ preventScroll: true });
    into(document.getElementById("timeline"), "start");
  } else if (what === "i") {
    const each = invocations.byId(rest.join("-"));
    if (!each) return;
    invocations.show(each);
    document.getElementById("life-title").focus({ preventScroll: true });
    into(document.getElementById("said"));
  } else if (what === "e" && data.scenes[rest[0]]) {
    const [scene, number] = rest.map(Number);
    const { lines } = data.scenes[scene];
    const life = lines.life[lines.number.indexOf(number)] ?? -1;
    if (life >= 0) invocations.show({ scene, at: life, life: data.scenes[scene].lives[life] }, number);
    else invocations.showAround(scene, number);
    const row = document.getElementById(`e-${scene}-${number}`);
    if (!row) return;
    into(row);
    row.querySelector("a").focus({ preventScroll: true });
  }
}

/* "" for what no page of ours has made: "#%". */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/* For some frames: what comes into view is laid out only then, and moves what is below it. */
function into(element, block = "center", frames = 6) {
  element.scrollIntoView({ block });
  if (frames) requestAnimationFrame(() => into(element, block, frames - 1));
}

start().catch((error) => {
  const broken = document.getElementById("broken");
  broken.hidden = false;
  broken.textContent = `The timeline cannot be shown: ${error.message}`;
  console.error(error);
});
