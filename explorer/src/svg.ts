// Small helpers for charts in SVG: elements, axes, paths.

import type { ScaleContinuousNumeric } from "d3-scale";

const SPACE = "http://www.w3.org/2000/svg";

export type Attributes = Record<string, string | number>;
export type Scale = ScaleContinuousNumeric<number, number>;

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (SVGElement | string)[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Axes {
  x: Scale;
  y: Scale;
  frame: Frame;
  xLabel?: string;
  yLabel?: string;
  xTicks?: number;
  yTicks?: number;
  yRoom?: number;
  yGap?: number;
  yFormat?: (value: number) => string;
  xFormat?: (value: number) => string;
}

// Text with "_P" set as an index.
export function rich(text: string): (SVGElement | string)[] {
  let lowered = false;
  return text.split(/(_[A-Za-z0-9]+)/).flatMap((part) => {
    if (part === "") return [];
    const low = part.startsWith("_");
    const shift = low === lowered ? 0 : low ? 3 : -3;
    lowered = low;
    const attributes = { dy: shift, ...(low ? { "font-size": "0.78em" } : {}) };
    return [svg("tspan", attributes, low ? part.slice(1) : part)];
  });
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
export const raised = (n: number): string =>
  (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((d) => superscripts[Number(d)]).join("");

export function short(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    const power = Math.floor(Math.log10(size));
    const head = Number((value / 10 ** power).toPrecision(3));
    return `${head}`.replace("-", "−") + `·10${raised(power)}`;
  }
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

export function axes(a: Axes): SVGGElement {
  const { left, right, top, bottom } = a.frame;
  const group = svg("g", { class: "axes" });
  const rows = a.y.ticks(a.yTicks ?? 5);
  const columns = a.x.ticks(a.xTicks ?? 6);
  for (const value of columns) {
    const x = a.x(value);
    group.append(svg("line", { class: "tick", x1: x, x2: x, y1: bottom, y2: bottom - 4 }));
    group.append(
      svg("text", { class: "label", x, y: bottom + 14, "text-anchor": "middle" },
        (a.xFormat ?? short)(value)),
    );
  }
  for (const value of rows) {
    const y = a.y(value);
    group.append(svg("line", { class: "tick", x1: left, x2: left + 4, y1: y, y2: y }));
    group.append(
      svg("text", { class: "label", x: left - (a.yGap ?? 6), y: y + 3.5, "text-anchor": "end" },
        (a.yFormat ?? short)(value)),
    );
  }
  group.append(
    svg("rect", { class: "frame", x: left, y: top, width: right - left, height: bottom - top }),
  );
  if (a.xLabel !== undefined)
    group.append(
      svg("text", { class: "title", x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle" },
        ...rich(a.xLabel)),
    );
  if (a.yLabel !== undefined) {
    const y = (top + bottom) / 2;
    const x = left - (a.yRoom ?? 42);
    group.append(
      svg("text", { class: "title", x, y, "text-anchor": "middle",
        transform: `rotate(-90 ${x} ${y})` }, ...rich(a.yLabel)),
    );
  }
  return group;
}

export function path(points: Iterable<readonly [number, number]>): string {
  let text = "";
  let pen = "M";
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = "M";
      continue;
    }
    text += `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
    pen = "L";
  }
  return text;
}

// Where a pointer is, in the units of the chart's view box.
export function pointer(chart: SVGSVGElement, event: PointerEvent | MouseEvent): [number, number] {
  const matrix = chart.getScreenCTM();
  if (matrix === null) return [0, 0];
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  return [point.x, point.y];
}
