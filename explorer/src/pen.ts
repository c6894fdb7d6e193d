// What draws lines and dots: the canvas, or the same strokes written as paths of an SVG.

import { svg } from "./svg";

type Paint = string | CanvasGradient | CanvasPattern;

// The part of CanvasRenderingContext2D that the sphere is drawn with.
export interface Pen {
  strokeStyle: Paint;
  fillStyle: Paint;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  arc(x: number, y: number, radius: number, from: number, to: number): void;
  stroke(): void;
  fill(): void;
  strokeText(text: string, x: number, y: number): void;
  fillText(text: string, x: number, y: number): void;
}

const round = (value: number): string => String(Math.round(100 * value) / 100);

// A pen that writes SVG; circles are whole ones.
export class VectorPen implements Pen {
  strokeStyle: Paint = "#000";
  fillStyle: Paint = "#000";
  lineWidth = 1;
  globalAlpha = 1;
  font = "";
  private d = "";

  constructor(readonly group: SVGGElement) {}

  beginPath(): void {
    this.d = "";
  }

  moveTo(x: number, y: number): void {
    this.d += `M${round(x)},${round(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.d += `L${round(x)},${round(y)}`;
  }

  arc(x: number, y: number, radius: number): void {
    const [a, b, r] = [x - radius, x + radius, radius].map(round);
    this.d += `M${a},${round(y)}A${r},${r} 0 1 1 ${b},${round(y)}A${r},${r} 0 1 1 ${a},${round(y)}`;
  }

  stroke(): void {
    this.add({ fill: "none", stroke: String(this.strokeStyle), "stroke-width": round(this.lineWidth) });
  } // prettier-ignore

  fill(): void {
    this.add({ fill: String(this.fillStyle) });
  }

  strokeText(text: string, x: number, y: number): void {
    this.write(text, x, y, { fill: "none", stroke: String(this.strokeStyle), "stroke-width": round(this.lineWidth) });
  } // prettier-ignore

  fillText(text: string, x: number, y: number): void {
    this.write(text, x, y, { fill: String(this.fillStyle) });
  }

  private add(attributes: Record<string, string>): void {
    if (this.d === "") return;
    this.group.append(svg("path", { d: this.d, ...attributes, ...this.opacity() }));
  }

  private write(text: string, x: number, y: number, attributes: Record<string, string>): void {
    const [, size, family] = this.font.match(/([\d.]+)px\s+(.*)$/) ?? ["", "14", "serif"];
    const place = { x: round(x), y: round(y + 0.34 * Number(size)), "text-anchor": "middle" };
    const font = { "font-size": size, "font-family": family, "font-style": "italic" };
    this.group.append(svg("text", { ...place, ...font, ...attributes, ...this.opacity() }, text));
  } // prettier-ignore

  private opacity(): Record<string, string> {
    return this.globalAlpha < 1 ? { opacity: round(this.globalAlpha) } : {};
  }
}
