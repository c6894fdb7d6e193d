// The numbers of the steady state, as the API names them, and those of a process at one time.

import { short } from "./svg";

export interface Steady {
  numbers: Record<string, number | null>;
  mean_moment: number[];
  phase: string;
  nu: number;
  alpha: number | null;
  delta: number;
}

export interface Scales {
  energy: number;
  moment: number;
  time: number;
  induction: number;
}

interface Row {
  name: string;
  symbol: string;
  words: string;
  si?: (value: number, scales: Scales) => string;
}

const perSecond = (value: number, s: Scales): string => `${short(value / s.time)} k_B/s`;
const watt = (value: number, s: Scales): string => `${short((value * s.energy) / s.time)} W`;

export const ROWS: Row[] = [
  { name: "pumped_entropy_rate", symbol: "Ṡ_P", words: "pumped entropy rate", si: perSecond },
  { name: "bath_entropy_rate", symbol: "Ṡ_B", words: "entropy rate of the bath", si: perSecond },
  { name: "entropy_production_rate", symbol: "Σ̇", words: "entropy production rate", si: perSecond },
  { name: "heat_rate", symbol: "Q̇", words: "heat drawn from the bath per time", si: watt },
  { name: "pumped_entropy_noise", symbol: "Δ_P", words: "noise of the pumped entropy, lim Var/τ" },
  { name: "uncertainty_ratio", symbol: "Δ_PΣ̇/2Ṡ_P²", words: "uncertainty ratio; below 1 the relation is broken" },
]; // prettier-ignore

// Of a driven process: what it has done so far, and what it does now.
export interface Moment {
  mean_moment: number[];
  work: number;
  heat: number;
  pumped_entropy: number;
  entropy_production_rate: number;
  bath_entropy_rate: number;
  pumped_entropy_rate: number;
}

export const MOMENT: Row[] = [
  { name: "work", symbol: "⟨W⟩", words: "mean work so far" },
  { name: "heat", symbol: "⟨Q⟩", words: "mean heat absorbed so far" },
  { name: "pumped_entropy", symbol: "⟨S_P⟩", words: "mean pumped entropy so far" },
  { name: "entropy_production_rate", symbol: "Σ̇", words: "entropy production rate now" },
  { name: "pumped_entropy_rate", symbol: "Ṡ_P", words: "pumped entropy rate now" },
  { name: "bath_entropy_rate", symbol: "Ṡ_B", words: "entropy rate of the bath now" },
];

// A cell for each number, by its name.
function cellsIn(list: HTMLElement, prefix: string, rows: [string, string, string][]): Cells {
  const cells: Cells = new Map();
  for (const [name, symbol, words] of rows) {
    const term = document.createElement("dt");
    term.append(...marked(symbol));
    term.title = words;
    const spoken = document.createElement("span");
    spoken.className = "hidden";
    spoken.textContent = words;
    term.append(spoken);
    const cell = document.createElement("dd");
    cell.id = `${prefix}-${name}`;
    cells.set(name, cell);
    list.append(term, cell);
  }
  return cells;
}

type Cells = Map<string, HTMLElement>;
const worded = (rows: Row[]): [string, string, string][] =>
  rows.map((row) => [row.name, row.symbol, row.words]);

export class MomentNumbers {
  private readonly cells: Cells;

  constructor(list: HTMLElement) {
    const mean: [string, string, string] = ["mean_moment", "⟨m⟩", "mean moment now (x, y, z)"];
    this.cells = cellsIn(list, "moment", [mean, ...worded(MOMENT)]);
  }

  show(moment: Moment): void {
    const words = (value: number): string => value.toFixed(4).replace("-", "−");
    this.cells.get("mean_moment")!.textContent = `(${moment.mean_moment.map(words).join(", ")})`;
    for (const { name } of MOMENT)
      this.cells.get(name)!.textContent = words(moment[name as keyof Omit<Moment, "mean_moment">]);
  }
}

export class Numbers {
  private readonly cells: Cells;

  constructor(
    private readonly list: HTMLElement,
    private readonly badge: HTMLElement,
  ) {
    this.cells = cellsIn(list, "number", [
      ["mean_moment", "⟨m⟩", "mean moment (x, y, z)"],
      ...worded(ROWS),
      ["groups", "ν, α, δ", "βmH, mP/H, ηm/γ₀"],
    ]);
  }

  show(steady: Steady, scales: Scales | null): void {
    this.badge.textContent = steady.phase;
    this.badge.dataset.phase = steady.phase;
    const cell = (name: string): HTMLElement => this.cells.get(name)!;
    const mean = cell("mean_moment");
    mean.textContent = `(${steady.mean_moment.map(tidy).join(", ")})`;
    mean.dataset.value = JSON.stringify(steady.mean_moment);
    for (const row of ROWS) {
      const value = steady.numbers[row.name];
      const place = cell(row.name);
      place.dataset.value = String(value);
      place.textContent = value === null ? "undefined" : tidy(value);
      if (scales !== null && value !== null && row.si !== undefined) {
        const si = document.createElement("small");
        si.textContent = row.si(value, scales);
        place.append(" ", si);
      }
    }
    const alpha = steady.alpha === null ? "∞" : short(steady.alpha);
    cell("groups").textContent = `${short(steady.nu)}, ${alpha}, ${short(steady.delta)}`;
    this.list.classList.remove("stale");
  }

  stale(): void {
    this.list.classList.add("stale");
  }
}

// Six significant digits; zero for what rounding leaves of it.
export function tidy(value: number): string {
  if (Math.abs(value) < 1e-14) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return short(value);
  return value.toPrecision(6).replace("-", "−");
}

// "Ṡ_P" with its index set lower, and the dot that few fonts have for "Σ̇" set over it.
export function marked(text: string): (string | HTMLElement)[] {
  return text.split(/(_[A-Za-z0-9]|Σ̇)/).map((part) => {
    if (!part.startsWith("_") && part !== "Σ̇") return part;
    const element = document.createElement(part === "Σ̇" ? "span" : "sub");
    element.textContent = part === "Σ̇" ? "Σ" : part.slice(1);
    if (part === "Σ̇") element.className = "dotted";
    return element;
  });
}
