// Sliders with number fields: one value each, and beside it what the server says about it.

import type { Magnet, State } from "./state";

export interface Control {
  name: string; // as in the API
  symbol: string;
  label: string;
  unit: string;
  low: number;
  high: number;
  step: number;
  log: boolean;
  get: (s: State) => number;
  set: (s: State, value: number) => void;
}

const ofMagnet = (
  name: keyof Magnet,
  symbol: string,
  label: string,
  unit: string,
  low: number,
  high: number,
): Control => ({
  name, symbol, label, unit, low, high, step: 0.001, log: true,
  get: (s) => s.magnet[name],
  set: (s, value) => (s.magnet[name] = value),
}); // prettier-ignore

export const DRIVE: Control[] = [
  {
    name: "field", symbol: "H", label: "Field", unit: "energy per moment",
    low: 0, high: 12, step: 0.01, log: false,
    get: (s) => s.field, set: (s, v) => (s.field = v),
  },
  {
    name: "spin_torque", symbol: "P", label: "Spin torque", unit: "field per moment",
    low: 0, high: 6, step: 0.01, log: false,
    get: (s) => s.spin_torque, set: (s, v) => (s.spin_torque = v),
  },
  {
    name: "angle", symbol: "θ", label: "Angle", unit: "degrees",
    low: 0, high: 180, step: 0.5, log: false,
    get: (s) => s.angle, set: (s, v) => (s.angle = v),
  },
]; // prettier-ignore

export const MAGNET: Control[] = [
  ofMagnet("moment", "m", "Moment", "length of the moment", 0.1, 10),
  ofMagnet("gyromagnetic_ratio", "γ₀", "Gyromagnetic ratio", "rate per field", 0.1, 10),
  ofMagnet("damping", "η", "Damping", "rate per energy", 0.02, 5),
  ofMagnet("temperature", "T", "Temperature", "energy", 0.05, 20),
];

const SLIDES = 1000;

export class ControlRow {
  readonly slider: HTMLInputElement;
  readonly number: HTMLInputElement;
  private readonly problem: HTMLElement;
  private unreadable = false;

  constructor(
    place: HTMLElement,
    readonly control: Control,
    private readonly changed: (value: number) => void,
  ) {
    const { name, symbol, label, unit } = control;
    const row = document.createElement("div");
    row.className = "control";
    const caption = document.createElement("label");
    caption.htmlFor = `${name}-number`;
    const mark = document.createElement("i");
    mark.textContent = symbol;
    const words = document.createElement("span");
    words.textContent = label;
    caption.append(mark, words);
    caption.title = unit;
    this.slider = document.createElement("input");
    Object.assign(this.slider, { type: "range", id: `${name}-slider`, min: "0", max: `${SLIDES}` });
    this.slider.step = "1";
    this.slider.setAttribute("aria-label", `${label} ${symbol}`);
    this.number = document.createElement("input");
    Object.assign(this.number, { type: "text", id: `${name}-number`, autocomplete: "off" });
    this.number.inputMode = "decimal";
    this.number.setAttribute("aria-describedby", `${name}-problem`);
    this.problem = document.createElement("p");
    this.problem.id = `${name}-problem`;
    this.problem.className = "problem";
    this.problem.setAttribute("role", "alert");
    row.append(caption, this.slider, this.number, this.problem);
    place.append(row);
    this.slider.addEventListener("input", () => {
      const value = this.valueAt(Number(this.slider.value) / SLIDES);
      this.unreadable = false;
      this.number.value = String(value);
      this.describe(value);
      this.changed(value);
    });
    this.number.addEventListener("input", () => this.typed());
    this.number.addEventListener("keydown", (event) => {
      const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
      const value = Number(this.number.value.replace(",", "."));
      if (way === 0 || !Number.isFinite(value)) return;
      event.preventDefault();
      const step = control.log ? Math.abs(value) * 0.02 : 2 * control.step;
      const next = Number((value + way * step).toPrecision(6));
      this.number.value = String(next);
      this.typed();
    });
  }

  private typed(): void {
    const text = this.number.value.trim().replace(",", ".");
    const value = Number(text);
    this.unreadable = text === "" || !Number.isFinite(value);
    if (this.unreadable) {
      this.write(`${this.control.name}='${text}': expected a number such as 1.5`);
      return;
    }
    this.slider.value = String(Math.round(SLIDES * this.fractionOf(value)));
    this.describe(value);
    this.changed(value);
  }

  show(value: number): void {
    this.unreadable = false;
    if (document.activeElement !== this.number) this.number.value = rounded(value);
    if (document.activeElement !== this.slider)
      this.slider.value = String(Math.round(SLIDES * this.fractionOf(value)));
    this.describe(value);
  }

  // What the server says; what cannot be read at all was not asked.
  complain(text: string | null): void {
    if (!this.unreadable) this.write(text);
  }

  private write(text: string | null): void {
    this.problem.textContent = text ?? "";
    this.number.setAttribute("aria-invalid", String(text !== null));
  }

  private describe(value: number): void {
    this.slider.setAttribute("aria-valuetext", `${rounded(value)} ${this.control.unit}`);
  }

  private valueAt(fraction: number): number {
    const { low, high, step, log } = this.control;
    const value = log ? low * (high / low) ** fraction : low + (high - low) * fraction;
    return log ? Number(value.toPrecision(3)) : Number((Math.round(value / step) * step).toFixed(6));
  }

  private fractionOf(value: number): number {
    const { low, high, log } = this.control;
    const u = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return Number.isFinite(u) ? Math.max(0, Math.min(1, u)) : 0;
  }
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(6)));
}
