// The shaded ball: pixel by pixel for the canvas, as filled contours for a drawing in vectors.

import { contours } from "d3-contour";
import { lookUp, type Table } from "./density";
import { svg } from "./svg";

const GRID = 144; // of the contours, over the diameter
const LEVELS = 32;
const SHADOWS = 8;
const LIGHT = 0.8;

// Light that comes from the upper left of the eye, on the direction (x, y, z) of the picture.
const lightAt = (x: number, y: number, z: number): number =>
  LIGHT + 0.2 * Math.min(1, Math.max(0, 0.72 * z - 0.3 * x + 0.48 * y + 0.3));

// From the picture (right, up, towards the eye) to the frame of the table.
function toTable(table: Table | null, view: number[][]): number[][] {
  const frame = table?.frame ?? [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
  return frame.map((row) =>
    view.map((axis) => row[0] * axis[0] + row[1] * axis[1] + row[2] * axis[2]),
  );
}

// The pixels of a ball: where they look, how they are lit; the same until the size changes.
interface Pixels {
  size: number;
  radius: number;
  at: Uint32Array;
  x: Float32Array;
  y: Float32Array;
  z: Float32Array;
  light: Float32Array;
  image: ImageData;
}

export class Ball {
  private pixels: Pixels | null = null;

  paint(
    context: CanvasRenderingContext2D,
    size: number,
    radius: number,
    view: number[][],
    table: Table | null,
    shade: Uint8Array,
  ): void {
    const known = this.pixels;
    const same = known !== null && known.size === size && known.radius === radius;
    this.pixels = same ? known : laid(context, size, radius);
    const { at, x, y, z, light, image } = this.pixels;
    const { data } = image;
    const [[a, b, c], [d, e, f], [g, h, i]] = toTable(table, view);
    const scale = table === null ? 0 : 255 / table.largest;
    for (let k = 0; k < at.length; k++) {
      let level = 0;
      if (table !== null) {
        const [u, v, w] = [x[k], y[k], z[k]];
        const p = lookUp(table, a * u + b * v + c * w, d * u + e * v + f * w, g * u + h * v + i * w);
        level = Math.max(0, Math.min(255, (p * scale) | 0)) * 3;
      } // prettier-ignore
      const place = at[k];
      data[place] = shade[level] * light[k];
      data[place + 1] = shade[level + 1] * light[k];
      data[place + 2] = shade[level + 2] * light[k];
    }
    context.putImageData(image, 0, 0);
  }
}

function laid(context: CanvasRenderingContext2D, size: number, radius: number): Pixels {
  const image = context.createImageData(size, size);
  const at: number[] = [];
  const places: [number[], number[], number[], number[]] = [[], [], [], []];
  const middle = size / 2;
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const [x, y] = [(column + 0.5 - middle) / radius, (middle - row - 0.5) / radius];
      const square = x * x + y * y;
      const edge = (1 - Math.sqrt(square)) * radius + 0.5;
      if (edge <= 0) continue;
      const z = Math.sqrt(Math.max(0, 1 - square));
      const place = 4 * (row * size + column);
      image.data[place + 3] = edge >= 1 ? 255 : 255 * edge;
      at.push(place);
      [x, y, z, lightAt(x, y, z)].forEach((value, k) => places[k].push(value));
    }
  const [x, y, z, light] = places.map((values) => Float32Array.from(values));
  return { size, radius, at: Uint32Array.from(at), x, y, z, light, image };
}

// The ball as filled contours about the origin: shades of the density, and shadows over them.
export function ballInVectors(
  radius: number,
  view: number[][],
  table: Table | null,
  shade: Uint8Array,
): SVGGElement {
  const clip = svg("clipPath", { id: "sphere-rim" }, svg("circle", { r: radius }));
  const group = svg("g", { "clip-path": "url(#sphere-rim)" });
  const rgb = (level: number): string => {
    const k = 3 * Math.min(255, Math.round(level));
    return `#${[0, 1, 2].map((c) => shade[k + c].toString(16).padStart(2, "0")).join("")}`;
  };
  group.append(svg("circle", { r: radius, fill: rgb(table === null ? 0 : 255 / (2 * LEVELS)) }));
  const add = (values: Float64Array, thresholds: number[], paint: (k: number) => object): void => {
    const found = contours().size([GRID, GRID]).smooth(true).thresholds(thresholds);
    found(Array.from(values)).forEach((one, k) => {
      const step = (2 * radius) / (GRID - 4);
      const d = one.coordinates
        .flatMap((polygon) => polygon.map((ring) => ringPath(ring, radius, step)))
        .join("");
      if (d !== "") group.append(svg("path", { d, "fill-rule": "evenodd", ...paint(k) }));
    });
  };
  if (table !== null) {
    const r = toTable(table, view);
    const density = sampled((x, y, z) => lookUp(table, ...turned(r, x, y, z)));
    const steps = Array.from({ length: LEVELS - 1 }, (_, k) => (k + 1) / LEVELS);
    add(density, steps.map((u) => u * table.largest), (k) => ({ fill: rgb(((k + 1.5) * 255) / LEVELS) }));
  } // prettier-ignore
  const dark = sampled((x, y, z) => 1 - lightAt(x, y, z));
  const shadows = Array.from({ length: SHADOWS }, (_, k) => ((k + 0.5) * (1 - LIGHT)) / SHADOWS);
  // each shadow takes the same share of what is left, so that all together leave LIGHT
  const share = 1 - LIGHT ** (1 / SHADOWS);
  add(dark, shadows, () => ({ fill: "#000000", "fill-opacity": share.toFixed(4) }));
  return svg("g", {}, svg("defs", {}, clip), group);
}

const turned = (r: number[][], x: number, y: number, z: number): [number, number, number] =>
  r.map((row) => row[0] * x + row[1] * y + row[2] * z) as [number, number, number];

// A function of the direction on the grid of the picture, beyond the rim as on the rim.
function sampled(value: (x: number, y: number, z: number) => number): Float64Array {
  const out = new Float64Array(GRID * GRID);
  for (let j = 0; j < GRID; j++)
    for (let i = 0; i < GRID; i++) {
      let [x, y] = [(i + 0.5 - GRID / 2) / (GRID / 2 - 2), (GRID / 2 - j - 0.5) / (GRID / 2 - 2)];
      const length = Math.hypot(x, y);
      if (length > 1) [x, y] = [x / length, y / length];
      out[j * GRID + i] = value(x, y, Math.sqrt(Math.max(0, 1 - x * x - y * y)));
    }
  return out;
}

function ringPath(ring: number[][], radius: number, step: number): string {
  const shift = radius + 2 * step;
  const text = ring.map(([u, v]) => `${(u * step - shift).toFixed(1)},${(v * step - shift).toFixed(1)}`); // prettier-ignore
  return `M${text.filter((point, k) => k === 0 || point !== text[k - 1]).join("L")}Z`;
}
