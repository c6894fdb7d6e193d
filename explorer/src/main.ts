// The page: state in the address, questions to the server, answers on the sphere and the charts.

import { ControlRow, DRIVE, MAGNET } from "./controls";
import { concentration, currentsOf, type Currents } from "./currents";
import { tableOf, type Coefficients } from "./density";
import { Diagram, type Answer as DiagramAnswer } from "./diagram";
import { Editor, type Component } from "./editor";
import { FilmView, FRAMES } from "./film";
import { MomentNumbers, Numbers, type Scales, type Steady } from "./numbers";
import { PathsView } from "./paths";
import { Player } from "./player";
import { ProcessView } from "./process";
import { saveCanvas, saveChart, saveDrawing } from "./save";
import { ask, follow, newest, presets, Refusal, type Complaints } from "./server";
import { Sphere } from "./sphere";
import { short } from "./svg";
import { fromHash, SI, toHash, type Magnet, type Quantity, type State, type Tab } from "./state";

interface SteadyAnswer extends Steady {
  density: Coefficients;
  field: number[];
  spin_torque: number[];
}

interface Preset {
  name: string;
  title: string;
  group: string;
  note: string;
  state: Partial<State>;
}

function by<Element extends HTMLElement | SVGElement>(id: string): Element {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found as unknown as Element;
}

const state: State = fromHash(location.hash);
let scales: Scales | null = null;

// --- the address ---------------------------------------------------------------------------------

let written = "";
let writing = 0;

function remember(): void {
  clearTimeout(writing);
  writing = window.setTimeout(() => {
    written = `#${toHash(state)}`;
    history.replaceState(null, "", written);
  }, 120);
}

window.addEventListener("pagehide", () => history.replaceState(null, "", `#${toHash(state)}`));
window.addEventListener("hashchange", () => {
  if (location.hash === written) return;
  Object.assign(state, fromHash(location.hash));
  player.pause();
  sphere.yaw = state.yaw;
  sphere.pitch = state.pitch;
  scales = null;
  everything();
});

// --- problems, each beside its field -------------------------------------------------------------

const rows = new Map<string, ControlRow>();
const general = by<HTMLElement>("problem");

const told = new Map<HTMLElement, Complaints>();
const ofMagnet = new Set(MAGNET.map((control) => control.name));

// A process has a field and a torque of its own: only of the magnet there is one for all.
const hasRow = (name: string, place: HTMLElement): boolean =>
  ofMagnet.has(name) || (place === general && rows.has(name));

function complain(problem: Refusal | null, place: HTMLElement): void {
  told.set(place, problem?.complaints ?? {});
  const beside: Complaints = {};
  for (const [where, complaints] of told) {
    const others = Object.entries(complaints).filter(([name, text]) => {
      if (hasRow(name, where)) beside[name] ??= text;
      return !hasRow(name, where);
    });
    where.textContent = others.map(([, text]) => text).join("; ");
  }
  for (const [name, row] of rows) row.complain(beside[name] ?? null);
}

// --- sphere and numbers --------------------------------------------------------------------------

const sphereCanvas = by<HTMLCanvasElement>("sphere");
const sphere = new Sphere(sphereCanvas, state.yaw, state.pitch);
const numbers = new Numbers(by("numbers"), by("phase"));
const ARROWS = 420;

sphere.onTurn = () => {
  state.yaw = Number(sphere.yaw.toFixed(3));
  state.pitch = Number(sphere.pitch.toFixed(3));
  remember();
};

type Point = Pick<State, "magnet" | "field" | "spin_torque" | "angle">;

function point(): Point {
  const { magnet, field, spin_torque, angle } = state;
  return { magnet, field, spin_torque, angle };
}

interface Asked {
  since: number | null; // when something was moved
  point: Point;
}

const askNewest = newest(
  async (asked: Asked): Promise<SteadyAnswer | Refusal> => {
    try {
      return await ask<SteadyAnswer>("steady", asked.point);
    } catch (problem) {
      const words = { "": "the server does not answer; is it still running?" };
      return problem instanceof Refusal ? problem : new Refusal(0, words);
    }
  },
  ({ since, point: { magnet } }, answer) => {
    if (answer instanceof Refusal) {
      numbers.stale();
      complain(answer, general);
      return;
    }
    const { density, field, spin_torque } = answer;
    let currents: Currents | null = null;
    sphere.steady = {
      table: tableOf(density),
      currents: () =>
        (currents ??= currentsOf(magnet, field, spin_torque, density, ARROWS, concentration(density))), // prettier-ignore
      field,
      spin_torque,
      mean: answer.mean_moment.map((c) => c / magnet.moment),
    };
    sphere.draw();
    numbers.show(answer, scales);
    if (since !== null) performance.measure("update", { start: since, end: performance.now() });
    complain(null, general);
    described = [`in the steady state, phase ${answer.phase}`, sphere.steady.mean];
    if (sphere.driven === null) describeSphere(...described);
    document.body.dataset.ready = "true";
  },
);

function askSteady(since: number | null): void {
  askNewest({ since, point: structuredClone(point()) });
}

let described: [string, number[]] | null = null; // of the steady state

function describeSphere(what: string, mean: number[]): void {
  const [x, y, z] = mean.map((c) => c.toFixed(2));
  const text = `Sphere of directions ${what}, mean direction ${x}, ${y}, ${z}. Arrow keys turn it.`;
  sphereCanvas.setAttribute("aria-label", text);
}

// --- phase diagram -------------------------------------------------------------------------------

const diagram = new Diagram(
  by<SVGSVGElement>("diagram"),
  () => state,
  () => {
    showSource("steady");
    moved("diagram");
  },
);
let diagramKey = "";
let diagramTimer = 0;
let diagramRun: AbortController | null = null;

function askDiagram(): void {
  if (state.tab !== "phases") return;
  const { key, question } = diagram.question();
  clearTimeout(diagramTimer);
  if (key === diagramKey) return diagram.place();
  diagram.stale();
  diagram.place();
  by("diagram-status").textContent = "rates …";
  diagramTimer = window.setTimeout(() => {
    diagram.render();
    void drawDiagram(key, question);
  }, 180);
}

async function drawDiagram(key: string, question: object): Promise<void> {
  diagramRun?.abort();
  const run = new AbortController();
  diagramRun = run;
  diagramKey = key;
  const status = by("diagram-status");
  const show = (answer: DiagramAnswer): void => {
    if (run.signal.aborted) return;
    diagram.show(answer);
    status.textContent = answer.exact ? "boundaries exact" : "following the boundaries …";
  };
  try {
    show(await follow<DiagramAnswer>("diagram", question, run.signal, { part: show }));
  } catch (problem) {
    if (run.signal.aborted) return;
    diagramKey = "";
    if (problem instanceof Refusal && problem.status === 409) return;
    status.textContent = problem instanceof Refusal ? problem.message : "no answer";
  }
}

// --- trajectories and processes ------------------------------------------------------------------

const pathsProblem = by<HTMLElement>("paths-problem");
const paths = new PathsView(
  () => state,
  sphere,
  by("paths-chart"),
  by("paths-status"),
  (problem) => complain(problem, pathsProblem),
);

const editor = new Editor(
  () => state.process,
  { field: by("editor-field"), spin_torque: by("editor-torque") },
  by("knots"),
  () => moved("process"),
);

const stageProblem = by<HTMLElement>("stage-problem");
const films = new FilmView(
  () => state,
  (words) => (by("film-status").textContent = words),
  (problem) => complain(problem, stageProblem),
);
const momentNumbers = new MomentNumbers(by("process-numbers"));
const player = new Player(by("play"), by("time"));

// The sphere at the player's place: a driven process if that is chosen, trajectories if they are shown.
function showTime(): void {
  const { frame } = player;
  const driven = state.source === "process";
  const film = driven ? films.film : null;
  const walking = state.layers.includes("paths") && paths.times !== null;
  by<HTMLElement>("player").hidden = !driven && !walking;
  sphere.driven = film?.scene(frame) ?? null;
  paths.place(frame);
  const time = film?.answer.times[frame] ?? (walking ? paths.times![frame] : null);
  editor.place(driven ? time : null);
  const words = time === null ? "" : `t = ${short(Number(time.toPrecision(3)))}`;
  by("time-value").textContent = words;
  player.says(words);
  by<HTMLElement>("steady-readout").hidden = driven;
  by<HTMLElement>("process-readout").hidden = !driven;
  sphereCanvas.dataset.shows = film === null ? "steady" : "driven";
  if (film !== null) {
    momentNumbers.show(film.moment(frame));
    describeSphere(`at ${words} of the driven process`, film.answer.mean_direction[frame]);
  } else if (described !== null) describeSphere(...described);
  sphere.refresh();
}

player.onPlace = (frame, byHand) => {
  if (!player.running || frame === FRAMES - 1) {
    state.time = Number((frame / (FRAMES - 1)).toFixed(4));
    remember();
  }
  if (byHand && state.tab === "process") showSource("process");
  showTime();
};
films.onFilm = showTime;
paths.onPaths = () => {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return showTime();
  player.place(0);
  player.start();
};

// What the sphere shows follows what is touched: the process by its editor, else the steady state.
function showSource(source: State["source"]): void {
  if (state.source === source) return;
  state.source = source;
  by<HTMLInputElement>(`source-${source}`).checked = true;
  player.pause();
  paths.forget();
  showTime();
  askSlow();
}

const processProblem = by<HTMLElement>("process-problem");
const process = new ProcessView(
  () => state,
  by("densities"),
  by("ratio"),
  by("facts"),
  by("process-progress"),
  by("process-status"),
  by("cancel"),
  (problem) => complain(problem, processProblem),
);

let slow = 0;
let soon = 0;

function askSlow(): void {
  clearTimeout(slow);
  clearTimeout(soon);
  soon = window.setTimeout(() => {
    if (state.source === "process") void films.compute();
  }, 120);
  slow = window.setTimeout(() => {
    if (state.tab === "process") void process.compute();
    if (state.layers.includes("paths") || state.tab === "paths") void paths.compute();
  }, 500);
}

// --- what changes ask for ------------------------------------------------------------------------

function moved(where: "controls" | "diagram" | "process" | "preset" = "controls"): void {
  const touched = performance.now();
  remember();
  if (where === "process") showSource("process");
  else askSteady(touched);
  if (where !== "controls") for (const row of rows.values()) row.show(row.control.get(state));
  askDiagram();
  askSlow();
}

function everything(): void {
  for (const row of rows.values()) row.show(row.control.get(state));
  showLayers();
  showTab();
  by<HTMLSelectElement>("plane").value = state.plane;
  by<HTMLSelectElement>("of").value = state.of;
  by<HTMLInputElement>("duration").value = String(state.process.duration);
  by<HTMLInputElement>(`source-${state.source}`).checked = true;
  showMaterial();
  editor.render();
  player.place(state.time * (FRAMES - 1));
  askSteady(null);
  askDiagram();
  askSlow();
}

for (const [place, controls] of [["drive", DRIVE], ["magnet", MAGNET]] as const)
  for (const control of controls)
    rows.set(
      control.name,
      new ControlRow(by(place), control, (value) => {
        control.set(state, value);
        if (place === "magnet") leaveMaterial();
        else showSource("steady");
        moved();
      }),
    );

// --- layers --------------------------------------------------------------------------------------

const layers = [...document.querySelectorAll<HTMLInputElement>("input[name=layer]")];

function showLayers(): void {
  sphere.layers = state.layers;
  for (const box of layers) box.checked = state.layers.includes(box.value);
  sphere.refresh();
}

for (const box of layers)
  box.addEventListener("change", () => {
    state.layers = layers.filter((one) => one.checked).map((one) => one.value);
    showLayers();
    showTime();
    remember();
    askSlow();
  });

// --- tabs ----------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll<HTMLButtonElement>("[role=tab]")];

function showTab(): void {
  for (const tab of tabs) {
    const chosen = tab.dataset.tab === state.tab;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    by<HTMLElement>(`panel-${tab.dataset.tab}`).hidden = !chosen;
  }
  if (state.tab === "paths" && !state.layers.includes("paths")) {
    state.layers = [...state.layers, "paths"];
    showLayers();
  }
}

function choose(tab: Tab): void {
  state.tab = tab;
  if (tab === "process") showSource("process");
  if (tab === "phases") showSource("steady");
  showTab();
  showTime();
  remember();
  askDiagram();
  askSlow();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab.dataset.tab as Tab));
  tab.addEventListener("keydown", (event) => {
    const way = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (way === 0) return;
    const next = tabs[(tabs.indexOf(tab) + way + tabs.length) % tabs.length];
    next.focus();
    choose(next.dataset.tab as Tab);
  });
}

// --- choices -------------------------------------------------------------------------------------

by<HTMLSelectElement>("plane").addEventListener("change", (event) => {
  state.plane = (event.target as HTMLSelectElement).value as State["plane"];
  remember();
  askDiagram();
});
by<HTMLSelectElement>("of").addEventListener("change", (event) => {
  state.of = (event.target as HTMLSelectElement).value as Quantity;
  remember();
  askSlow();
});
for (const source of ["steady", "process"] as const)
  by<HTMLInputElement>(`source-${source}`).addEventListener("change", () => {
    showSource(source);
    remember();
    askSlow();
  });
by("again").addEventListener("click", () => {
  state.seed = (state.seed + 1) % 1_000_000;
  remember();
  void paths.compute();
});
by("recompute").addEventListener("click", () => void process.compute(true));
by<HTMLInputElement>("linear").addEventListener("change", (event) => {
  process.linear = (event.target as HTMLInputElement).checked;
  process.render();
});
by<HTMLInputElement>("duration").addEventListener("change", (event) => {
  const field = event.target as HTMLInputElement;
  const value = Number(field.value.replace(",", "."));
  const fine = Number.isFinite(value) && value > 0;
  field.setAttribute("aria-invalid", String(!fine));
  processProblem.textContent = fine
    ? ""
    : `duration='${field.value}': expected a finite number > 0`;
  if (fine) editor.stretch(value);
});
for (const radio of document.querySelectorAll<HTMLInputElement>("input[name=component]"))
  radio.addEventListener("change", () => {
    editor.component = Number(radio.value) as Component;
    editor.render();
  });
by("add-field").addEventListener("click", () => editor.add("field"));
by("add-torque").addEventListener("click", () => editor.add("spin_torque"));

// --- materials in SI -----------------------------------------------------------------------------

interface MaterialAnswer {
  magnet: Magnet;
  field: number;
  spin_torque: number;
  scales: Scales;
}

const material = by<HTMLFormElement>("material");
const materialFields = SI.map((name) => by<HTMLInputElement>(`si-${name}`));

function leaveMaterial(): void {
  scales = null;
  state.material = null;
}

function showMaterial(): void {
  if (state.material === null) return;
  for (const field of materialFields) field.value = state.material[field.name] ?? "";
  by<HTMLDetailsElement>("material-box").open = true;
  void applyMaterial(false);
}

async function applyMaterial(whole: boolean): Promise<void> {
  const texts = Object.fromEntries(materialFields.map((field) => [field.name, field.value.trim()]));
  let complaints: Complaints = {};
  try {
    const answer = await ask<MaterialAnswer>("material", texts);
    scales = answer.scales;
    state.material = texts;
    if (whole) {
      const { moment, gyromagnetic_ratio, damping, temperature } = answer.magnet;
      state.magnet = { moment, gyromagnetic_ratio, damping, temperature };
      state.field = answer.field;
      state.spin_torque = Math.abs(answer.spin_torque);
      state.angle = answer.spin_torque < 0 ? 180 : 0;
    }
    moved("preset");
  } catch (problem) {
    complaints = problem instanceof Refusal ? problem.complaints : { "": "no answer" };
  }
  for (const field of materialFields) {
    const text = complaints[field.name] ?? null;
    field.setAttribute("aria-invalid", String(text !== null));
    by(`si-${field.name}-problem`).textContent = text ?? "";
    delete complaints[field.name];
  }
  by("material-problem").textContent = Object.values(complaints).join("; ");
}

material.addEventListener("submit", (event) => {
  event.preventDefault();
  void applyMaterial(true);
});

// --- presets -------------------------------------------------------------------------------------

const chooser = by<HTMLSelectElement>("preset");
const note = by("preset-note");

void presets<Preset[]>().then((all) => {
  const groups = new Map<string, HTMLOptGroupElement>();
  for (const one of all) {
    let group = groups.get(one.group);
    if (group === undefined) {
      group = document.createElement("optgroup");
      group.label = one.group;
      groups.set(one.group, group);
      chooser.append(group);
    }
    group.append(new Option(one.title, one.name));
  }
  chooser.addEventListener("change", () => {
    const chosen = all.find((one) => one.name === chooser.value);
    if (chosen === undefined) return;
    const { magnet, process: driven, ...rest } = structuredClone(chosen.state);
    if (magnet !== undefined) {
      const { moment, gyromagnetic_ratio, damping, temperature } = magnet;
      state.magnet = { moment, gyromagnetic_ratio, damping, temperature };
    }
    if (driven !== undefined) {
      state.process = driven;
      state.source = "process";
    }
    leaveMaterial();
    Object.assign(state, rest);
    if (driven !== undefined) state.of = "entropy_production";
    note.textContent = chosen.note;
    remember();
    everything();
  });
});

// --- theme ---------------------------------------------------------------------------------------

const theme = by<HTMLButtonElement>("theme");

function setTheme(chosen: string | null): void {
  if (chosen === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  sphere.recolour();
}

try {
  setTheme(localStorage.getItem("theme"));
} catch {
  // storage may be forbidden: then the system's theme stays
}
theme.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme;
  const dark = now === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : now === "dark";
  setTheme(dark ? "light" : "dark");
  try {
    localStorage.setItem("theme", dark ? "light" : "dark");
  } catch {
    // as above
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => sphere.recolour());

// --- copy as Python ------------------------------------------------------------------------------

const dialog = by<HTMLDialogElement>("script-dialog");
const kind = by<HTMLSelectElement>("script-kind");
const code = by("script-code");

function questionOf(which: string): object | null {
  if (which === "steady") return point();
  if (which === "diagram") return diagram.question().question;
  if (which === "distribution") return process.question();
  if (which === "histogram") return process.sampling();
  if (which === "film") return films.question();
  return paths.question();
}

async function writeScript(): Promise<void> {
  const question = questionOf(kind.value);
  by("script-status").textContent = "";
  if (question === null) {
    code.textContent = "# the histogram follows the exact density: open the tab Process first";
    return;
  }
  try {
    code.textContent = await ask<string>("script", { kind: kind.value, question });
  } catch (problem) {
    code.textContent = `# ${problem instanceof Error ? problem.message : "no answer"}`;
  }
}

by("python").addEventListener("click", () => {
  kind.value = { phases: "steady", paths: "paths", process: "distribution" }[state.tab];
  dialog.showModal();
  void writeScript();
});
kind.addEventListener("change", () => void writeScript());
by("script-copy").addEventListener("click", () => {
  const status = by("script-status");
  navigator.clipboard.writeText(code.textContent ?? "").then(
    () => (status.textContent = "copied"),
    () => (status.textContent = "select the text and copy it: the clipboard is not allowed here"),
  );
});
by("script-close").addEventListener("click", () => dialog.close());

// --- save figure ---------------------------------------------------------------------------------

const saving = by<HTMLSelectElement>("save");
saving.addEventListener("change", () => {
  const which = saving.value;
  saving.value = "";
  if (which === "sphere") saveDrawing("sphere", sphere.vectors());
  else if (which === "sphere-pixels") saveCanvas("sphere", sphere.canvas);
  else if (which !== "") saveChart(which, by<SVGSVGElement>(which));
});

everything();

// What is shown, for the console and for tests.
Object.assign(globalThis, { explorer: { sphere, films, player } });
