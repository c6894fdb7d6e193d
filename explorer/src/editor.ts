// The protocol: field and spin torque against time, knots to drag, straight lines between them.

import { scaleLinear } from "d3-scale";
import type { Knot, Process } from "./state";
import { axes, path, pointer, short, svg, type Frame, type Scale } from "./svg";

type Name = "field" | "spin_torque";
export type Component = 0 | 1 | 2;
const COMPONENTS = ["x", "y", "z"];
const WIDTH = 260;
const HEIGHT = 148;
const FRAME: Frame = { left: 52, right: WIDTH - 10, top: 10, bottom: HEIGHT - 38 };
const SYMBOL: Record<Name, string> = { field: "H", spin_torque: "P" };
const MOST = 24;
const GAP = 0.01; // of the duration

export class Editor {
  component: Component = 2;
  cursor: number | null = null;
  private readonly panels: Panel[];

  constructor(
    private readonly process: () => Process,
    charts: Record<Name, SVGSVGElement>,
    private readonly table: HTMLElement,
    private readonly changed: () => void,
  ) {
    const edit = (): void => {
      this.render();
      this.changed();
    };
    this.panels = (["field", "spin_torque"] as const).map(
      (name) => new Panel(name, charts[name], this, process, edit),
    );
  }

  render(): void {
    for (const panel of this.panels) panel.render();
    this.list();
  }

  place(time: number | null): void {
    this.cursor = time;
    for (const panel of this.panels) panel.place();
  }

  add(name: Name): void {
    const knots = this.process()[name];
    if (knots.length >= MOST) return;
    let widest = 0;
    for (let k = 1; k < knots.length - 1; k++)
      if (knots[k + 1][0] - knots[k][0] > knots[widest + 1][0] - knots[widest][0]) widest = k;
    insert(knots, 0.5 * (knots[widest][0] + knots[widest + 1][0]));
    this.render();
    this.changed();
  }

  stretch(duration: number): void {
    const process = this.process();
    const factor = duration / process.duration;
    for (const name of ["field", "spin_torque"] as const)
      for (const knot of process[name]) knot[0] = Number((knot[0] * factor).toPrecision(12));
    process.duration = duration;
    for (const name of ["field", "spin_torque"] as const) {
      const last = process[name].at(-1)!;
      if (Math.abs(last[0] - duration) < 1e-9 * duration) last[0] = duration;
    }
    this.render();
    this.changed();
  }

  // The knots as numbers, for the keyboard and for exact values.
  private list(): void {
    if (this.table.contains(document.activeElement)) return;
    this.table.replaceChildren();
    for (const name of ["field", "spin_torque"] as const) {
      const table = document.createElement("table");
      const caption = table.createCaption();
      caption.textContent = `${SYMBOL[name]}(t)`;
      const head = table.createTHead().insertRow();
      for (const text of ["t", "x", "y", "z"]) {
        const cell = document.createElement("th");
        cell.scope = "col";
        cell.textContent = text;
        head.append(cell);
      }
      const body = table.createTBody();
      this.process()[name].forEach((knot, k) => {
        const row = body.insertRow();
        knot.forEach((value, place) => {
          const input = document.createElement("input");
          input.type = "text";
          input.inputMode = "decimal";
          input.value = String(Number(value.toPrecision(8)));
          const what = ["time", "x", "y", "z"][place];
          input.setAttribute("aria-label", `${SYMBOL[name]} knot ${k + 1}, ${what}`);
          input.addEventListener("change", () => {
            const number = Number(input.value.replace(",", "."));
            const fine = Number.isFinite(number) && input.value.trim() !== "";
            input.setAttribute("aria-invalid", String(!fine));
            if (!fine) return;
            knot[place] = number;
            for (const panel of this.panels) panel.render();
            this.changed();
          });
          row.insertCell().append(input);
        });
      });
      this.table.append(table);
    }
  }
}

class Panel {
  private x: Scale = scaleLinear();
  private y: Scale = scaleLinear();
  private dragged: number | null = null;
  private readonly back = svg("g");
  private readonly line = svg("line", { class: "cursor", y1: FRAME.top, y2: FRAME.bottom });
  private readonly handles: SVGCircleElement[] = [];

  constructor(
    private readonly name: Name,
    private readonly chart: SVGSVGElement,
    private readonly editor: Editor,
    private readonly process: () => Process,
    private readonly changed: () => void,
  ) {
    chart.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    chart.append(this.back, this.line);
    this.listen();
  }

  private get knots(): Knot[] {
    return this.process()[this.name];
  }

  render(): void {
    const { knots } = this;
    const { duration } = this.process();
    if (this.dragged === null) {
      const values = knots.flatMap((knot) => knot.slice(1));
      const low = Math.min(0, ...values);
      const high = Math.max(0, ...values);
      const room = 0.18 * Math.max(high - low, 1);
      this.y = scaleLinear().domain([low - room, high + room]).range([FRAME.bottom, FRAME.top]);
    }
    this.x = scaleLinear().domain([0, duration]).range([FRAME.left, FRAME.right]);
    const zero = this.y(0);
    this.back.replaceChildren(
      svg("line", { class: "zero", x1: FRAME.left, x2: FRAME.right, y1: zero, y2: zero }),
      axes({ x: this.x, y: this.y, frame: FRAME, xLabel: "time t", yLabel: `${SYMBOL[this.name]}(t)`, xTicks: 4, yTicks: 4, yRoom: 38, yGap: 10 }),
    ); // prettier-ignore
    for (const component of [0, 1, 2] as const) {
      if (component === this.editor.component) continue;
      this.back.append(this.curve(component));
    }
    this.back.append(this.curve(this.editor.component));
    this.points();
    this.place();
  }

  place(): void {
    const { cursor } = this.editor;
    this.line.setAttribute("visibility", cursor === null ? "hidden" : "visible");
    if (cursor === null) return;
    const x = this.x(Math.min(cursor, this.process().duration));
    this.line.setAttribute("x1", String(x));
    this.line.setAttribute("x2", String(x));
  }

  private curve(component: Component): SVGElement {
    const { knots } = this;
    const points = knots.map((k) => [this.x(k[0]), this.y(k[component + 1])] as const);
    const first = [FRAME.left, points[0][1]] as const;
    const last = [FRAME.right, points.at(-1)![1]] as const;
    const chosen = component === this.editor.component ? " chosen" : "";
    const line = svg("path", {
      class: `component ${COMPONENTS[component]}${chosen}`,
      d: path([first, ...points, last]),
    });
    return line;
  }

  // Handles are kept, so that the focus stays where it is.
  private points(): void {
    const { knots, handles } = this;
    const { component } = this.editor;
    while (handles.length > knots.length) handles.pop()!.remove();
    while (handles.length < knots.length) {
      const index = handles.length;
      const handle = svg("circle", { r: 6.5, tabindex: 0, role: "slider" });
      handle.addEventListener("keydown", (event) => this.key(event, index));
      handles.push(handle);
      this.chart.append(handle);
    }
    knots.forEach((knot, k) => {
      const handle = handles[k];
      const value = knot[component + 1];
      handle.setAttribute("class", `knot ${COMPONENTS[component]}`);
      handle.setAttribute("cx", String(this.x(knot[0])));
      handle.setAttribute("cy", String(this.y(value)));
      const label = `${SYMBOL[this.name]} ${COMPONENTS[component]}, knot ${k + 1} of ${knots.length}`;
      handle.setAttribute("aria-label", label);
      handle.setAttribute("aria-valuenow", String(value));
      handle.setAttribute("aria-valuetext", `${short(value)} at time ${short(knot[0])}`);
      handle.setAttribute("aria-valuemin", "-100");
      handle.setAttribute("aria-valuemax", "100");
    });
  }

  private listen(): void {
    const { chart } = this;
    chart.addEventListener("pointerdown", (event) => {
      const [x, y] = pointer(chart, event);
      const { component } = this.editor;
      let nearest = -1;
      let least = 18;
      this.knots.forEach((knot, k) => {
        const far = Math.hypot(this.x(knot[0]) - x, this.y(knot[component + 1]) - y);
        if (far < least) [nearest, least] = [k, far];
      });
      if (nearest < 0) return;
      this.dragged = nearest;
      chart.setPointerCapture(event.pointerId);
      event.preventDefault();
      this.handles[nearest].focus({ preventScroll: true });
    });
    chart.addEventListener("pointermove", (event) => {
      if (this.dragged === null) return;
      const [x, y] = pointer(chart, event);
      this.move(this.dragged, this.x.invert(x), this.y.invert(y));
    });
    const end = (): void => {
      if (this.dragged === null) return;
      this.dragged = null;
      this.changed();
    };
    chart.addEventListener("pointerup", end);
    chart.addEventListener("pointercancel", end);
    chart.addEventListener("dblclick", (event) => {
      const time = this.x.invert(pointer(chart, event)[0]);
      if (this.knots.length >= MOST || time <= 0 || time >= this.process().duration) return;
      insert(this.knots, Number(time.toPrecision(3)));
      this.changed();
    });
  }

  private key(event: KeyboardEvent, index: number): void {
    const knot = this.knots[index];
    const { component } = this.editor;
    const { duration } = this.process();
    const size = event.shiftKey ? 10 : 1;
    const value = knot[component + 1];
    const moves: Record<string, [number, number]> = {
      ArrowUp: [knot[0], value + 0.05 * size],
      ArrowDown: [knot[0], value - 0.05 * size],
      ArrowLeft: [knot[0] - 0.01 * size * duration, value],
      ArrowRight: [knot[0] + 0.01 * size * duration, value],
    };
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      if (this.knots.length > 2) this.knots.splice(index, 1);
      this.changed();
      this.handles[Math.min(index, this.knots.length - 1)].focus();
    } else if (moves[event.key] !== undefined) {
      event.preventDefault();
      this.move(index, ...moves[event.key]);
    }
  }

  private move(index: number, time: number, value: number): void {
    const { knots } = this;
    const low = this.bound(index, -1);
    const high = this.bound(index, 1);
    const [bottom, top] = this.y.domain();
    const inside = this.dragged === null ? value : Math.max(bottom, Math.min(top, value));
    knots[index][0] = this.besides(index, Math.max(low, Math.min(high, time)));
    knots[index][this.editor.component + 1] = Number(inside.toFixed(2));
    this.changed();
  }

  // How far a knot may go: up to its neighbour, which makes a jump, but no third one to a jump.
  private bound(index: number, way: 1 | -1): number {
    const { knots } = this;
    const { duration } = this.process();
    const [next, after] = [knots[index + way], knots[index + 2 * way]];
    if (next === undefined) return way < 0 ? 0 : duration;
    const crowded = after !== undefined && after[0] === next[0];
    return crowded ? next[0] - way * GAP * duration : next[0];
  }

  // Times closer to a neighbour than a gap are its own.
  private besides(index: number, time: number): number {
    const gap = GAP * this.process().duration;
    const near = [this.knots[index - 1], this.knots[index + 1]].find(
      (knot) => knot !== undefined && Math.abs(knot[0] - time) < gap,
    );
    const paired = this.knots.filter((knot, k) => k !== index && knot[0] === near?.[0]).length > 1;
    return near !== undefined && !paired ? near[0] : Number(time.toPrecision(5));
  }
}

function insert(knots: Knot[], time: number): void {
  const after = knots.findIndex((knot) => knot[0] > time);
  const k = after < 0 ? knots.length - 1 : Math.max(1, after);
  const [a, b] = [knots[k - 1], knots[k]];
  const u = (time - a[0]) / (b[0] - a[0]);
  const knot = [time, 1, 2, 3].map((v, c) =>
    c === 0 ? v : Number((a[c] + u * (b[c] - a[c])).toFixed(4)),
  );
  knots.splice(k, 0, knot as Knot);
}
