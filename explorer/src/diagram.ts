// The phase diagram: phases as shades, their exact boundaries as lines, the present point to drag.

import { contours } from "d3-contour";
import { scaleLinear } from "d3-scale";
import type { Plane, State } from "./state";
import { axes, path, pointer, short, svg, type Frame, type Scale } from "./svg";

export interface Answer {
  plane: Plane;
  x: number[];
  y: number[];
  pumped: number[][];
  bath: number[][];
  boundaries: { rate: string; x: number[]; y: number[] }[];
  exact: boolean;
}

interface Coordinate {
  name: string;
  label: string;
  words: string;
  get: (s: State) => number;
  set: (s: State, value: number) => void;
  range: (s: State) => [number, number];
}

const delta = (s: State): number =>
  (s.magnet.damping * s.magnet.moment) / Math.abs(s.magnet.gyromagnetic_ratio);

// The next of 1, 1.5, 2, 3, 4, 6, 8 times a power of ten.
function roomy(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-6)));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].find((n) => n * power >= value * 0.999)! * power;
}

const TORQUE: Coordinate = {
  name: "spin_torque",
  label: "spin torque P",
  words: "P",
  get: (s) => s.spin_torque,
  set: (s, v) => (s.spin_torque = v),
  range: (s) => [
    0,
    roomy(Math.max(1.25 * s.spin_torque, (1.4 * s.field) / (s.magnet.moment * delta(s)), 1e-3)),
  ],
};
const FIELD: Coordinate = {
  name: "field",
  label: "field H",
  words: "H",
  get: (s) => s.field,
  set: (s, v) => (s.field = v),
  range: (s) => [
    0,
    roomy(Math.max(1.25 * s.field, 1.4 * s.magnet.moment * s.spin_torque * delta(s), 1e-3)),
  ],
};
const ANGLE: Coordinate = {
  name: "angle",
  label: "angle θ between H and P (degrees)",
  words: "θ",
  get: (s) => s.angle,
  set: (s, v) => (s.angle = v),
  range: () => [0, 180],
};
const ALPHA: Coordinate = {
  name: "alpha",
  label: "α = mP/H",
  words: "α",
  get: (s) => (s.magnet.moment * s.spin_torque) / s.field,
  set: (s, v) => (s.field = (s.magnet.moment * s.spin_torque) / v),
  range: (s) => [
    0.02,
    roomy(Math.max(3, s.field > 0 ? (1.25 * s.magnet.moment * s.spin_torque) / s.field : 3)),
  ],
};

export const COORDINATES: Record<Plane, [Coordinate, Coordinate]> = {
  "torque-angle": [TORQUE, ANGLE],
  "field-angle": [FIELD, ANGLE],
  "field-torque": [FIELD, TORQUE],
  "alpha-angle": [ALPHA, ANGLE],
};

const HELD: Record<Plane, (s: State) => number[]> = {
  "torque-angle": (s) => [s.field],
  "field-angle": (s) => [s.spin_torque],
  "field-torque": (s) => [s.angle],
  "alpha-angle": (s) => [s.spin_torque],
};

const WIDTH = 520;
const HEIGHT = 366;
const FRAME: Frame = { left: 58, right: WIDTH - 12, top: 10, bottom: HEIGHT - 40 };
const POINTS = 33;

export class Diagram {
  private answer: Answer | null = null;
  private x: Scale = scaleLinear();
  private y: Scale = scaleLinear();
  private ranges: [[number, number], [number, number]] = [[0, 1], [0, 180]]; // prettier-ignore
  private readonly back = svg("g");
  private readonly front = svg("g");
  private readonly point: SVGGElement;
  private dragging = false;

  constructor(
    readonly chart: SVGSVGElement,
    private readonly state: () => State,
    private readonly moved: () => void,
  ) {
    chart.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    const clip = svg("clipPath", { id: "diagram-area" },
      svg("rect", { x: FRAME.left, y: FRAME.top, width: FRAME.right - FRAME.left, height: FRAME.bottom - FRAME.top })); // prettier-ignore
    this.point = svg("g", { class: "point", tabindex: 0, role: "application" },
      svg("circle", { class: "halo", r: 15 }),
      svg("circle", { class: "ring", r: 7 }),
      svg("circle", { class: "dot", r: 2.4 })); // prettier-ignore
    this.point.setAttribute("aria-roledescription", "point that arrow keys move");
    this.back.setAttribute("clip-path", "url(#diagram-area)");
    chart.append(svg("defs", {}, clip), this.back, this.front, this.point);
    this.listen();
  }

  // What to ask the server; the coordinates of the point itself do not matter.
  question(): { key: string; question: object } {
    const s = this.state();
    const [first, second] = COORDINATES[s.plane];
    if (!this.dragging) this.fit(first.range(s), second.range(s));
    const [x, y] = this.ranges;
    const point = {
      magnet: s.magnet,
      field: Number.isFinite(s.field) ? s.field : 1,
      spin_torque: s.spin_torque,
      angle: s.angle,
    };
    const key = JSON.stringify([s.plane, s.magnet, HELD[s.plane](s), x, y]);
    return { key, question: { point, plane: s.plane, x, y, points: POINTS } };
  }

  // Ranges stay as they are while the point is well inside of them.
  private fit(x: [number, number], y: [number, number]): void {
    this.ranges = [x, y];
  }

  show(answer: Answer): void {
    this.answer = answer;
    this.render();
  }

  stale(): void {
    this.back.classList.add("stale");
  }

  render(): void {
    const s = this.state();
    const [first, second] = COORDINATES[s.plane];
    this.x = scaleLinear().domain(this.ranges[0]).range([FRAME.left, FRAME.right]);
    this.y = scaleLinear().domain(this.ranges[1]).range([FRAME.bottom, FRAME.top]);
    this.back.replaceChildren();
    const { answer } = this;
    if (answer !== null && answer.plane === s.plane) {
      this.back.classList.remove("stale");
      this.back.append(...this.phases(answer));
      for (const one of answer.boundaries) {
        const points = one.x.map((v, i) => [this.x(v), this.y(one.y[i])] as const);
        this.back.append(svg("path", { class: "boundary", d: path(points) }));
      }
    }
    this.front.replaceChildren(
      axes({ x: this.x, y: this.y, frame: FRAME, xLabel: first.label, yLabel: second.label,
        yTicks: second === ANGLE ? 6 : 5 }),
      ...this.names(),
    ); // prettier-ignore
    this.place();
  }

  place(): void {
    const s = this.state();
    const [first, second] = COORDINATES[s.plane];
    const [u, v] = [first.get(s), second.get(s)];
    const shown = Number.isFinite(u) && Number.isFinite(v);
    this.point.setAttribute("visibility", shown ? "visible" : "hidden");
    if (!shown) return;
    const x = Math.max(FRAME.left, Math.min(FRAME.right, this.x(u)));
    const y = Math.max(FRAME.top, Math.min(FRAME.bottom, this.y(v)));
    this.point.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
    this.point.setAttribute(
      "aria-label",
      `Present point: ${first.words} = ${short(u)}, ${second.words} = ${short(v)}`,
    );
  }

  private phases(answer: Answer): SVGElement[] {
    const { left, right, top, bottom } = FRAME;
    const size = { x: left, y: top, width: right - left, height: bottom - top };
    const area = (values: number[][], name: string): SVGElement => {
      const rows = values.length;
      const columns = values[0].length;
      const flat = without_zero_edges(values).flat().map((v) => -v);
      const [found] = contours().size([columns, rows]).thresholds([0])(flat);
      const at = ([i, j]: number[]): [number, number] => [
        this.x(along(answer.x, i - 0.5)),
        this.y(along(answer.y, j - 0.5)),
      ];
      const d = found.coordinates
        .flatMap((polygon) => polygon.map((ring) => path(ring.map(at)) + "Z"))
        .join("");
      return svg("path", { class: `phase ${name}`, d, "fill-rule": "evenodd" });
    };
    return [
      svg("rect", { class: "phase dud", ...size }),
      area(answer.pumped, "heat-pump"),
      area(answer.bath, "refrigerator"),
    ];
  }

  private names(): SVGElement[] {
    const { answer } = this;
    if (answer === null || answer.plane !== this.state().plane) return [];
    const sums: Record<string, [number, number, number]> = {};
    answer.bath.forEach((row, j) =>
      row.forEach((bath, i) => {
        const pumped = answer.pumped[j][i];
        const name = bath < 0 ? "refrigerator" : pumped < 0 ? "heat pump" : "dud";
        const sum = (sums[name] ??= [0, 0, 0]);
        sum[0] += answer.x[i];
        sum[1] += answer.y[j];
        sum[2] += 1;
      }),
    );
    const all = answer.bath.length * answer.bath[0].length;
    return Object.entries(sums)
      .filter(([, [, , n]]) => n > all / 25)
      .map(([name, [x, y, n]]) =>
        svg("text", { class: "phase-name", x: this.x(x / n), y: this.y(y / n), "text-anchor": "middle" }, name),
      ); // prettier-ignore
  }

  private listen(): void {
    const { chart, point } = this;
    const follow = (event: PointerEvent): void => {
      const [x, y] = pointer(chart, event);
      this.move(
        this.x.invert(Math.max(FRAME.left, Math.min(FRAME.right, x))),
        this.y.invert(Math.max(FRAME.top, Math.min(FRAME.bottom, y))),
      );
    };
    chart.addEventListener("pointerdown", (event) => {
      const [x, y] = pointer(chart, event);
      const inside =
        x > FRAME.left - 12 && x < FRAME.right + 12 && y > FRAME.top - 12 && y < FRAME.bottom + 12;
      if (!inside) return;
      this.dragging = true;
      chart.setPointerCapture(event.pointerId);
      follow(event);
      point.focus({ preventScroll: true });
    });
    chart.addEventListener("pointermove", (event) => {
      if (this.dragging) follow(event);
    });
    const end = (): void => {
      if (!this.dragging) return;
      this.dragging = false;
      this.moved();
    };
    chart.addEventListener("pointerup", end);
    chart.addEventListener("pointercancel", end);
    point.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.1 : 0.01;
      const ways: Record<string, [number, number]> = {
        ArrowLeft: [-step, 0],
        ArrowRight: [step, 0],
        ArrowUp: [0, step],
        ArrowDown: [0, -step],
      };
      const way = ways[event.key];
      if (way === undefined) return;
      event.preventDefault();
      const s = this.state();
      const [first, second] = COORDINATES[s.plane];
      const [x, y] = this.ranges;
      this.move(
        clamp(first.get(s) + way[0] * (x[1] - x[0]), x),
        clamp(second.get(s) + way[1] * (y[1] - y[0]), y),
      );
    });
  }

  private move(x: number, y: number): void {
    const s = this.state();
    const [first, second] = COORDINATES[s.plane];
    first.set(s, Number(x.toPrecision(4)));
    second.set(s, Number(y.toPrecision(4)));
    this.place();
    this.moved();
  }
}

function clamp(value: number, [low, high]: [number, number]): number {
  return Math.max(low, Math.min(high, value));
}

function along(values: number[], place: number): number {
  const k = Math.max(0, Math.min(values.length - 2, Math.floor(place)));
  return values[k] + (place - k) * (values[k + 1] - values[k]);
}

// Without torque both rates vanish: such an edge takes the signs of its neighbours.
function without_zero_edges(values: number[][]): number[][] {
  const zero = (row: number[]): boolean => row.every((v) => Math.abs(v) < 1e-12);
  const rows = values.map((row) => [...row]);
  if (zero(rows[0])) rows[0] = [...rows[1]];
  if (zero(rows.map((row) => row[0]))) for (const row of rows) row[0] = row[1];
  return rows;
}
