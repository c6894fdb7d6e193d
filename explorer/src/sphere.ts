// The sphere of directions, drawn pixel by pixel on a plain canvas: density as shades, currents as
// arrows, trajectories with their tails. It needs no WebGL.

import { isDark, shades, variable } from "./colours";
import { lookUp, type Table } from "./density";

type Vector = readonly [number, number, number] | number[];

export interface Currents {
  points: number[][];
  reversible: number[][];
  irreversible: number[][];
}

export interface Scene {
  table: Table;
  currents: Currents;
  field: number[];
  spin_torque: number[];
  mean: number[]; // <m>/m
}

// What a driven process shows at one time, in place of the steady state.
export interface Still {
  table: Table;
  field: number[];
  spin_torque: number[];
  mean: number[];
}

export interface Trajectories {
  directions: number[][][];
  frame: number;
}

const RADIUS = 0.84; // of half the canvas
const LONGEST = 0.17; // arrow, in radii
const TAIL = 14; // frames
export const PATH_COLOURS = ["#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#0072B2"];

export class Sphere {
  scene: Scene | null = null;
  still: Still | null = null;
  paths: Trajectories | null = null;
  layers: readonly string[] = ["density"];
  onTurn: () => void = () => {};
  onDraw: () => void = () => {};
  private pending = false;
  private image: ImageData | null = null;
  private shade: Uint8Array = new Uint8Array(0);
  private dark: boolean | null = null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    public yaw: number,
    public pitch: number,
  ) {
    this.listen();
    new ResizeObserver(() => this.refresh()).observe(canvas);
  }

  refresh(): void {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
      this.onDraw();
    });
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
      const size = canvas.clientWidth || 1;
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
    const { canvas } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const size = Math.max(64, Math.round(canvas.clientWidth * ratio));
    if (canvas.width !== size || canvas.height !== size) {
      canvas.width = size;
      canvas.height = size;
      this.image = null;
    }
    const context = canvas.getContext("2d");
    if (context === null) return;
    this.paint(context, size, this.view());
  }

  private paint(context: CanvasRenderingContext2D, size: number, view: number[][]): void {
    context.clearRect(0, 0, size, size);
    const radius = RADIUS * (size / 2);
    this.ball(context, size, radius, view);
    context.save();
    context.translate(size / 2, size / 2);
    context.lineCap = "round";
    this.graticule(context, radius, view);
    const { scene } = this;
    const shown = this.still ?? scene;
    const unit = size / 440;
    if (scene !== null && this.still === null) {
      if (this.layers.includes("irreversible"))
        this.arrows(context, radius, view, scene.currents.irreversible, "--irreversible", unit);
      if (this.layers.includes("reversible"))
        this.arrows(context, radius, view, scene.currents.reversible, "--reversible", unit);
    }
    if (shown !== null) {
      if (this.layers.includes("paths")) this.walks(context, radius, view, unit);
      this.pins(context, radius, view, unit, shown);
    }
    context.restore();
  }

  private ball(
    context: CanvasRenderingContext2D,
    size: number,
    radius: number,
    view: number[][],
  ): void {
    if (this.dark !== isDark()) {
      this.dark = isDark();
      this.shade = shades(this.dark);
    }
    this.image ??= context.createImageData(size, size);
    const { data } = this.image;
    data.fill(0);
    const { shade } = this;
    const shown = this.still ?? this.scene;
    const table = this.layers.includes("density") ? (shown?.table ?? null) : null;
    const scale = table === null ? 0 : 255 / table.largest;
    const f = table?.frame ?? [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
    // from the picture to the frame of the table
    const r = f.map((row) =>
      view.map((axis) => row[0] * axis[0] + row[1] * axis[1] + row[2] * axis[2]),
    );
    const middle = size / 2;
    const low = Math.max(0, Math.floor(middle - radius - 1));
    const high = Math.min(size - 1, Math.ceil(middle + radius + 1));
    for (let row = low; row <= high; row++) {
      const y = (middle - row - 0.5) / radius;
      for (let column = low; column <= high; column++) {
        const x = (column + 0.5 - middle) / radius;
        const square = x * x + y * y;
        const edge = (1 - Math.sqrt(square)) * radius + 0.5;
        if (edge <= 0) continue;
        const z = Math.sqrt(Math.max(0, 1 - square));
        let level = 0;
        if (table !== null) {
          const p = lookUp(
            table,
            r[0][0] * x + r[0][1] * y + r[0][2] * z,
            r[1][0] * x + r[1][1] * y + r[1][2] * z,
            r[2][0] * x + r[2][1] * y + r[2][2] * z,
          );
          level = Math.max(0, Math.min(255, (p * scale) | 0)) * 3;
        }
        const light = 0.8 + 0.2 * Math.min(1, Math.max(0, 0.72 * z - 0.3 * x + 0.48 * y + 0.3));
        const at = 4 * (row * size + column);
        data[at] = shade[level] * light;
        data[at + 1] = shade[level + 1] * light;
        data[at + 2] = shade[level + 2] * light;
        data[at + 3] = edge >= 1 ? 255 : 255 * edge;
      }
    }
    context.putImageData(this.image, 0, 0);
  }

  private graticule(context: CanvasRenderingContext2D, radius: number, view: number[][]): void {
    context.strokeStyle = variable("--graticule");
    context.lineWidth = Math.max(0.75, radius / 320);
    context.beginPath();
    const circle = (at: (angle: number) => Vector): void => {
      let pen = false;
      for (let k = 0; k <= 120; k++) {
        const [x, y, z] = seen(view, at((2 * Math.PI * k) / 120));
        if (z < 0) {
          pen = false;
          continue;
        }
        if (pen) context.lineTo(x * radius, -y * radius);
        else context.moveTo(x * radius, -y * radius);
        pen = true;
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
    context.stroke();
  }

  private arrows(
    context: CanvasRenderingContext2D,
    radius: number,
    view: number[][],
    flow: number[][],
    colour: string,
    unit: number,
  ): void {
    const points = this.scene!.currents.points;
    let largest = 0;
    for (const v of flow) largest = Math.max(largest, Math.hypot(v[0], v[1], v[2]));
    if (!(largest > 0)) return;
    context.strokeStyle = variable(colour);
    context.fillStyle = variable(colour);
    const strength = this.layers.includes("paths") ? 0.4 : 1;
    for (let i = 0; i < flow.length; i++) {
      const n = points[i];
      const v = flow[i];
      const share = Math.hypot(v[0], v[1], v[2]) / largest;
      if (share < 0.02) continue;
      const [, , depth] = seen(view, n);
      if (depth < 0.03) continue;
      const length = LONGEST * Math.sqrt(share);
      const factor = length / (share * largest);
      const from = seen(view, onSphere(n, v, -0.5 * factor));
      const to = seen(view, onSphere(n, v, 0.5 * factor));
      const [dx, dy] = [(to[0] - from[0]) * radius, (from[1] - to[1]) * radius];
      const along = Math.hypot(dx, dy);
      if (along < 1.5) continue;
      context.globalAlpha = strength * (0.3 + 0.7 * share) * Math.min(1, 0.25 + 1.4 * depth);
      context.lineWidth = (0.8 + 0.9 * share) * unit;
      const head = Math.min(along * 0.55, (3.2 + 3 * share) * unit);
      const [ux, uy] = [dx / along, dy / along];
      const [x, y] = [to[0] * radius, -to[1] * radius];
      context.beginPath();
      context.moveTo(from[0] * radius, -from[1] * radius);
      context.lineTo(x - ux * head * 0.8, y - uy * head * 0.8);
      context.stroke();
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x - ux * head - uy * head * 0.5, y - uy * head + ux * head * 0.5);
      context.lineTo(x - ux * head + uy * head * 0.5, y - uy * head - ux * head * 0.5);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  private walks(
    context: CanvasRenderingContext2D,
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
        context.globalAlpha = (1 - (now - k) / (TAIL + 1)) * (front ? 0.9 : 0.16);
        context.strokeStyle = colour;
        context.lineWidth = 1.8 * unit;
        context.beginPath();
        context.moveTo(a[0] * radius, -a[1] * radius);
        context.lineTo(b[0] * radius, -b[1] * radius);
        context.stroke();
      }
      const [x, y, z] = seen(view, walk[now]);
      context.globalAlpha = z > 0 ? 1 : 0.22;
      context.beginPath();
      context.arc(x * radius, -y * radius, 3.6 * unit, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.strokeStyle = variable("--surface");
      context.lineWidth = unit;
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  private pins(
    context: CanvasRenderingContext2D,
    radius: number,
    view: number[][],
    unit: number,
    shown: Still | Scene,
  ): void {
    const { field, spin_torque, mean } = shown;
    const named: [string, number[], string][] = [
      ["H", field, "--field"],
      ["P", spin_torque, "--torque"],
    ];
    context.font = `italic ${15 * unit}px ${variable("--serif")}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const [name, vector, colour] of named) {
      const length = Math.hypot(...vector);
      if (length === 0) continue;
      const [x, y, z] = seen(view, vector.map((c) => c / length));
      this.pin(context, [x, y, z], radius, variable(colour), name, unit);
    }
    const [x, y, z] = seen(view, mean);
    context.globalAlpha = z >= 0 ? 1 : 0.45;
    context.strokeStyle = variable("--ink");
    context.lineWidth = 1.6 * unit;
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(x * radius, -y * radius);
    context.stroke();
    context.beginPath();
    context.arc(x * radius, -y * radius, 4.4 * unit, 0, 2 * Math.PI);
    context.fillStyle = variable("--surface");
    context.fill();
    context.stroke();
    context.globalAlpha = 1;
  }

  // A pin from the surface outwards, with its name at the end; paler behind the sphere.
  private pin(
    context: CanvasRenderingContext2D,
    [x, y, z]: number[],
    radius: number,
    colour: string,
    name: string,
    unit: number,
  ): void {
    const far = 1.11;
    context.globalAlpha = z >= -0.02 ? 1 : 0.35;
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = 2.4 * unit;
    context.beginPath();
    context.moveTo(x * radius, -y * radius);
    context.lineTo(x * radius * far, -y * radius * far);
    context.stroke();
    context.beginPath();
    context.arc(x * radius, -y * radius, 3.4 * unit, 0, 2 * Math.PI);
    context.fill();
    const aside = Math.hypot(x, y) < 0.25 ? 14 * unit : 0;
    const [tx, ty] = [x * radius * (far + 0.05) + aside, -y * radius * (far + 0.05) - aside];
    context.lineWidth = 4 * unit;
    context.strokeStyle = variable("--surface");
    context.strokeText(name, tx, ty);
    context.fillText(name, tx, ty);
    context.globalAlpha = 1;
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
