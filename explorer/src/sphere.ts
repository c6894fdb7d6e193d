// The sphere of directions on a plain canvas: density as shades, currents as arrows, trajectories with
// their tails; the same in vectors for a file. It needs no WebGL.

import { Ball, ballInVectors } from "./ball";
import { isDark, shades, variable } from "./colours";
import type { Currents } from "./currents";
import type { Table } from "./density";
import { VectorPen, type Pen } from "./pen";
import { svg } from "./svg";

type Vector = readonly [number, number, number] | number[];

// What the sphere shows: a steady state, or a driven process at one time.
export interface Scene {
  table: Table;
  currents: () => Currents; // computed when they are first drawn
  field: number[];
  spin_torque: number[];
  mean: number[]; // <m>/m
}

export interface Trajectories {
  directions: number[][][];
  frame: number;
}

type Flow = "reversible" | "irreversible";

const RADIUS = 0.84; // of half the canvas
const LONGEST = 0.17; // arrow, in radii
const LONG = 1.6; // the same in spacings of the arrows
const TAIL = 14; // frames
const VECTOR_SIZE = 440;
export const PATH_COLOURS = ["#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#0072B2"];
const NAMES = ["surface", "graticule", "ink", "field", "torque", "serif", "reversible", "irreversible"]; // prettier-ignore

// Colours are read once: asking for them makes the browser settle the styles of the whole page.
interface Palette {
  shade: Uint8Array;
  colour: Record<string, string>;
}

export class Sphere {
  steady: Scene | null = null;
  driven: Scene | null = null;
  paths: Trajectories | null = null;
  layers: readonly string[] = ["density"];
  onTurn: () => void = () => {};
  private pending = false;
  private readonly ball = new Ball();
  private palette: Palette | null = null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    public yaw: number,
    public pitch: number,
  ) {
    this.listen();
    new ResizeObserver(() => this.refresh()).observe(canvas);
  }

  // The driven process stands in place of the steady state while it is shown.
  get scene(): Scene | null {
    return this.driven ?? this.steady;
  }

  // Draw before the next frame, once however often it is asked for.
  refresh(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      if (this.pending) this.draw();
    });
  }

  recolour(): void {
    this.palette = null;
    this.refresh();
  }

  // Rows: to the right, upwards, towards the eye.
  private view(): number[][] {
    const [cy, sy, cp, sp] = [this.yaw, this.pitch].flatMap((a) => [Math.cos(a), Math.sin(a)]);
    return [
      [-sy, cy, 0],
      [-sp * cy, -sp * sy, cp],
      [cp * cy, cp * sy, sp],
    ];
  }

  private listen(): void {
    const { canvas } = this;
    let last: [number, number] | null = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (last === null) return;
      const size = Math.min(canvas.clientWidth, canvas.clientHeight) || 1;
      this.turn(
        (-2.6 * (event.clientX - last[0])) / size,
        (2.6 * (event.clientY - last[1])) / size,
      );
      last = [event.clientX, event.clientY];
    });
    const end = (): void => {
      last = null;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.4 : 0.1;
      const turns: Record<string, [number, number]> = {
        ArrowLeft: [-step, 0],
        ArrowRight: [step, 0],
        ArrowUp: [0, step],
        ArrowDown: [0, -step],
      };
      const by = turns[event.key];
      if (by === undefined) return;
      event.preventDefault();
      this.turn(...by);
    });
  }

  turn(yaw: number, pitch: number): void {
    const whole = 2 * Math.PI;
    this.yaw = (((this.yaw + yaw) % whole) + whole) % whole;
    this.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, this.pitch + pitch));
    this.refresh();
    this.onTurn();
  }

  draw(): void {
    this.pending = false;
    const { canvas } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const side = Math.min(canvas.clientWidth, canvas.clientHeight);
    const size = Math.max(64, Math.round(side * ratio));
    if (canvas.width !== size || canvas.height !== size) {
      canvas.width = size;
      canvas.height = size;
    }
    const context = canvas.getContext("2d");
    if (context === null) return;
    const { shade } = this.colours();
    const radius = RADIUS * (size / 2);
    const view = this.view();
    context.clearRect(0, 0, size, size);
    this.ball.paint(context, size, radius, view, this.shownTable(), shade);
    context.save();
    context.translate(size / 2, size / 2);
    context.lineCap = "round";
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.strokes(context, radius, view, size / 440);
    context.restore();
  }

  // The same picture in vectors.
  vectors(): SVGSVGElement {
    const half = VECTOR_SIZE / 2;
    const radius = RADIUS * half;
    const view = this.view();
    const picture = svg("svg", { viewBox: `0 0 ${VECTOR_SIZE} ${VECTOR_SIZE}` });
    const middle = svg("g", { transform: `translate(${half} ${half})`, "stroke-linecap": "round" });
    const lines = svg("g");
    this.strokes(new VectorPen(lines), radius, view, 1);
    middle.append(ballInVectors(radius, view, this.shownTable(), this.colours().shade), lines);
    picture.append(middle);
    return picture;
  }

  private shownTable(): Table | null {
    return this.layers.includes("density") ? (this.scene?.table ?? null) : null;
  }

  private colours(): Palette {
    this.palette ??= {
      shade: shades(isDark()),
      colour: Object.fromEntries(NAMES.map((name) => [name, variable(`--${name}`)])),
    };
    return this.palette;
  }

  private strokes(pen: Pen, radius: number, view: number[][], unit: number): void {
    this.graticule(pen, radius, view);
    const { scene } = this;
    if (scene === null) return;
    for (const flow of ["irreversible", "reversible"] as const)
      if (this.layers.includes(flow)) this.arrows(pen, radius, view, scene.currents(), flow, unit);
    if (this.layers.includes("paths")) this.walks(pen, radius, view, unit);
    this.pins(pen, radius, view, unit, scene);
  }

  private graticule(pen: Pen, radius: number, view: number[][]): void {
    pen.strokeStyle = this.colours().colour.graticule;
    pen.lineWidth = Math.max(0.75, radius / 320);
    pen.beginPath();
    const circle = (at: (angle: number) => Vector): void => {
      let down = false;
      for (let k = 0; k <= 120; k++) {
        const [x, y, z] = seen(view, at((2 * Math.PI * k) / 120));
        if (z < 0) {
          down = false;
          continue;
        }
        if (down) pen.lineTo(x * radius, -y * radius);
        else pen.moveTo(x * radius, -y * radius);
        down = true;
      }
    };
    for (const z of [-0.866, -0.5, 0, 0.5, 0.866]) {
      const s = Math.sqrt(1 - z * z);
      circle((a) => [s * Math.cos(a), s * Math.sin(a), z]);
    }
    for (let k = 0; k < 6; k++) {
      const b = (Math.PI * k) / 6;
      circle((a) => [Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b), Math.cos(a)]);
    }
    pen.stroke();
  }

  // Arrows of nearly the same strength and depth are drawn by one stroke and one fill.
  private arrows(
    pen: Pen,
    radius: number,
    view: number[][],
    currents: Currents,
    flow: Flow,
    unit: number,
  ): void {
    const { points, largest, spacing } = currents;
    const longest = Math.min(LONGEST, LONG * spacing);
    const values = currents[flow];
    if (!(largest[flow] > 0)) return;
    const bins = new Map<number, number[][]>();
    for (let i = 0; i < points.length; i += 3) {
      const n = [points[i], points[i + 1], points[i + 2]];
      const v = [values[i], values[i + 1], values[i + 2]];
      const share = Math.min(1, Math.hypot(v[0], v[1], v[2]) / largest[flow]);
      if (share < 0.02) continue;
      const depth = seen(view, n)[2];
      if (depth < 0.03) continue;
      const factor = longest / (Math.sqrt(share) * largest[flow]);
      const from = seen(view, onSphere(n, v, -0.5 * factor));
      const to = seen(view, onSphere(n, v, 0.5 * factor));
      const arrow = [from[0] * radius, -from[1] * radius, to[0] * radius, -to[1] * radius];
      const bin = 4 * Math.floor(7.999 * share) + Math.floor(3.999 * Math.min(1, 2 * depth));
      if (!bins.has(bin)) bins.set(bin, []);
      bins.get(bin)!.push(arrow);
    }
    pen.strokeStyle = this.colours().colour[flow];
    pen.fillStyle = this.colours().colour[flow];
    const strength = this.layers.includes("paths") ? 0.4 : 1;
    for (const [bin, arrows] of bins) {
      const share = (Math.floor(bin / 4) + 0.5) / 8;
      const depth = ((bin % 4) + 0.5) / 8;
      pen.globalAlpha = strength * (0.3 + 0.7 * share) * Math.min(1, 0.25 + 1.4 * depth);
      pen.lineWidth = (0.8 + 0.9 * share) * unit;
      const long = (3.2 + 3 * share) * unit;
      const heads: number[][] = [];
      pen.beginPath();
      for (const [x0, y0, x, y] of arrows) {
        const along = Math.hypot(x - x0, y - y0);
        if (along < 1.5 * unit) continue;
        const head = Math.min(along * 0.55, long);
        const [ux, uy] = [((x - x0) / along) * head, ((y - y0) / along) * head];
        pen.moveTo(x0, y0);
        pen.lineTo(x - 0.8 * ux, y - 0.8 * uy);
        heads.push([x, y, ux, uy]);
      }
      pen.stroke();
      pen.beginPath();
      for (const [x, y, ux, uy] of heads) {
        pen.moveTo(x, y);
        pen.lineTo(x - ux - 0.5 * uy, y - uy + 0.5 * ux);
        pen.lineTo(x - ux + 0.5 * uy, y - uy - 0.5 * ux);
      }
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  private walks(
    pen: Pen,
    radius: number,
    view: number[][],
    unit: number,
  ): void {
    if (this.paths === null) return;
    const { directions, frame } = this.paths;
    directions.forEach((walk, index) => {
      const colour = PATH_COLOURS[index % PATH_COLOURS.length];
      const now = Math.min(walk.length - 1, frame);
      for (let k = Math.max(1, now - TAIL); k <= now; k++) {
        const [a, b] = [seen(view, walk[k - 1]), seen(view, walk[k])];
        const front = a[2] + b[2] > 0;
        pen.globalAlpha = (1 - (now - k) / (TAIL + 1)) * (front ? 0.9 : 0.16);
        pen.strokeStyle = colour;
        pen.lineWidth = 1.8 * unit;
        pen.beginPath();
        pen.moveTo(a[0] * radius, -a[1] * radius);
        pen.lineTo(b[0] * radius, -b[1] * radius);
        pen.stroke();
      }
      const [x, y, z] = seen(view, walk[now]);
      pen.globalAlpha = z > 0 ? 1 : 0.22;
      pen.beginPath();
      pen.arc(x * radius, -y * radius, 3.6 * unit, 0, 2 * Math.PI);
      pen.fillStyle = colour;
      pen.fill();
      pen.strokeStyle = this.colours().colour.surface;
      pen.lineWidth = unit;
      pen.stroke();
    });
    pen.globalAlpha = 1;
  }

  private pins(
    pen: Pen,
    radius: number,
    view: number[][],
    unit: number,
    shown: Scene,
  ): void {
    const { field, spin_torque, mean } = shown;
    const named: [string, number[], string][] = [
      ["H", field, this.colours().colour.field],
      ["P", spin_torque, this.colours().colour.torque],
    ];
    pen.font = `italic ${15 * unit}px ${this.colours().colour.serif}`;
    let last: number[] | null = null;
    for (const [name, vector, colour] of named) {
      const length = Math.hypot(...vector);
      if (length === 0) continue;
      const tip = seen(view, vector.map((c) => c / length));
      // names of pins that point the same way stand side by side
      const together = last !== null && Math.hypot(tip[0] - last[0], tip[1] - last[1]) < 0.1;
      this.pin(pen, tip, radius, colour, name, unit, together ? 15 * unit : 0);
      last = tip;
    }
    const [x, y, z] = seen(view, mean);
    pen.globalAlpha = z >= 0 ? 1 : 0.45;
    pen.strokeStyle = this.colours().colour.ink;
    pen.lineWidth = 1.6 * unit;
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.lineTo(x * radius, -y * radius);
    pen.stroke();
    pen.beginPath();
    pen.arc(x * radius, -y * radius, 4.4 * unit, 0, 2 * Math.PI);
    pen.fillStyle = this.colours().colour.surface;
    pen.fill();
    pen.stroke();
    pen.globalAlpha = 1;
  }

  // A pin from the surface outwards, with its name at the end; paler behind the sphere.
  private pin(
    pen: Pen,
    [x, y, z]: number[],
    radius: number,
    colour: string,
    name: string,
    unit: number,
    shift: number,
  ): void {
    const far = 1.11;
    pen.globalAlpha = z >= -0.02 ? 1 : 0.35;
    pen.strokeStyle = colour;
    pen.fillStyle = colour;
    pen.lineWidth = 2.4 * unit;
    pen.beginPath();
    pen.moveTo(x * radius, -y * radius);
    pen.lineTo(x * radius * far, -y * radius * far);
    pen.stroke();
    pen.beginPath();
    pen.arc(x * radius, -y * radius, 3.4 * unit, 0, 2 * Math.PI);
    pen.fill();
    const aside = Math.hypot(x, y) < 0.25 ? 14 * unit : 0;
    const [tx, ty] = [x * radius * (far + 0.05) + aside + shift, -y * radius * (far + 0.05) - aside];
    pen.lineWidth = 4 * unit;
    pen.strokeStyle = this.colours().colour.surface;
    pen.strokeText(name, tx, ty);
    pen.fillText(name, tx, ty);
    pen.globalAlpha = 1;
  }
}

function seen(view: number[][], n: Vector): number[] {
  return view.map((axis) => axis[0] * n[0] + axis[1] * n[1] + axis[2] * n[2]);
}

function onSphere(n: Vector, v: Vector, factor: number): number[] {
  const p = [n[0] + factor * v[0], n[1] + factor * v[1], n[2] + factor * v[2]];
  const length = Math.hypot(...p);
  return p.map((c) => c / length);
}
