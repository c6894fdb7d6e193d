// What a driven process does: exact densities forward and backward, the theorem, and a histogram of
// sampled trajectories that grows beside them.

import { scaleLinear, scaleLog } from "d3-scale";
import { follow, Refusal } from "./server";
import type { Quantity, State } from "./state";
import { axes, path, raised, rich, short, svg, type Frame, type Scale } from "./svg";

interface Densities {
  of: Quantity;
  x: number[];
  forward: number[];
  backward: number[] | null;
  mean: number | null;
  largest_deviation?: number | null;
}

interface Sampled {
  counts: number[];
  trajectories: number;
  mean: number;
  mean_error: number;
  exponential_average: number;
  exponential_average_error: number;
}

const SYMBOLS: Record<Quantity, string> = {
  entropy_production: "Σ",
  work: "W",
  heat: "Q",
  pumped_entropy: "S_P",
  environment_entropy: "S_env",
};
const WORDS: Record<Quantity, string> = {
  entropy_production: "entropy production Σ = β(W − ΔF) + S_P",
  work: "work W",
  heat: "heat Q",
  pumped_entropy: "pumped entropy S_P",
  environment_entropy: "entropy of the environment −βQ + S_P",
};
const BINS = 80;
const TRAJECTORIES = 100_000;
const WIDTH = 520;
const TALL = 206;
const LOW = 142;
const FRAME: Frame = { left: 58, right: WIDTH - 12, top: 24, bottom: TALL - 40 };
const BELOW: Frame = { left: 58, right: WIDTH - 12, top: 8, bottom: LOW - 40 };

export class ProcessView {
  densities: Densities | null = null;
  sampled: Sampled | null = null;
  linear = false;
  private running: AbortController | null = null;
  private asked = "";

  constructor(
    private readonly state: () => State,
    private readonly chart: SVGSVGElement,
    private readonly ratio: SVGSVGElement,
    private readonly facts: HTMLElement,
    private readonly bar: HTMLProgressElement,
    private readonly status: HTMLElement,
    private readonly cancel: HTMLButtonElement,
    private readonly complain: (problem: Refusal | null) => void,
  ) {
    chart.setAttribute("viewBox", `0 0 ${WIDTH} ${TALL}`);
    ratio.setAttribute("viewBox", `0 0 ${WIDTH} ${LOW}`);
    cancel.addEventListener("click", () => this.stop("cancelled"));
  }

  drive(): object {
    const s = this.state();
    return { magnet: s.magnet, ...s.process };
  }

  question(): object {
    return { drive: this.drive(), of: this.state().of };
  }

  sampling(): object | null {
    const { densities } = this;
    const s = this.state();
    if (densities === null || s.of === "environment_entropy") return null;
    return {
      drive: this.drive(),
      of: s.of,
      low: densities.x[0],
      high: densities.x.at(-1)!,
      bins: BINS,
      trajectories: TRAJECTORIES,
      seed: s.seed,
    };
  }

  stop(words: string): void {
    this.running?.abort();
    this.running = null;
    this.asked = "";
    this.busy(words, false);
  }

  async compute(again = false): Promise<void> {
    const question = this.question();
    const key = JSON.stringify([question, this.state().seed]);
    if (key === this.asked && !again) return;
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.asked = key;
    this.sampled = null;
    this.chart.classList.add("stale");
    this.ratio.classList.add("stale");
    this.busy("exact density …", true);
    try {
      let sampling: Promise<void> | null = null;
      const show = (found: Densities): void => {
        if (running.signal.aborted) return;
        this.densities = found;
        sampling ??= this.sample(running);
        sampling.catch(() => {}); // also where the density fails first, and nobody waits for it
        this.render();
      };
      show(
        await follow<Densities>("distribution", question, running.signal, {
          part: show,
          progress: (done, total) => this.progress("exact density", done, total),
        }),
      );
      this.complain(null);
      await sampling;
      if (!running.signal.aborted) this.busy("done", false);
    } catch (problem) {
      if (running.signal.aborted) return;
      this.asked = "";
      if (problem instanceof Refusal && problem.status === 409) return;
      this.busy("not computed", false);
      this.complain(problem instanceof Refusal ? problem : new Refusal(500, { "": "no answer" }));
    }
  }

  private async sample(running: AbortController): Promise<void> {
    const question = this.sampling();
    if (question === null) return;
    const show = (found: Sampled): void => {
      if (running.signal.aborted) return;
      this.sampled = found;
      this.render();
    };
    const options = {
      part: show,
      compiling: () => this.busy("preparing the sampler …", true),
      progress: (done: number, total: number) => this.progress("trajectories", done, total),
    };
    show(await follow<Sampled>("histogram", question, running.signal, options));
  }

  private busy(words: string, on: boolean): void {
    this.status.textContent = words;
    this.cancel.disabled = !on;
    this.bar.hidden = !on;
    this.bar.removeAttribute("value");
  }

  private progress(words: string, done: number, total: number): void {
    // said once, not at every step: a screen reader would never fall silent
    if (this.status.textContent !== words) this.status.textContent = words;
    this.bar.setAttribute("aria-valuetext", `${Math.round((100 * done) / total)} %`);
    this.bar.max = total;
    this.bar.value = done;
  }

  render(): void {
    const { densities } = this;
    if (densities === null) return;
    this.chart.classList.remove("stale");
    this.ratio.classList.remove("stale");
    const { x, forward, backward } = densities;
    const symbol = SYMBOLS[densities.of];
    const across = scaleLinear().domain([x[0], x.at(-1)!]).range([FRAME.left, FRAME.right]);
    const largest = Math.max(...forward);
    const y: Scale = this.linear
      ? scaleLinear().domain([0, 1.08 * largest]).range([FRAME.bottom, FRAME.top])
      : scaleLog().domain([largest * 1e-6, 3 * largest]).range([FRAME.bottom, FRAME.top]);
    const floor = y.domain()[0];
    const curve = (values: number[]): string =>
      path(values.map((p, i) => [across(x[i]), p >= floor ? y(p) : this.linear ? y(0) : NaN]));
    this.chart.replaceChildren(
      ...this.bars(across, y, floor),
      svg("path", { class: "curve forward", d: curve(forward) }),
    );
    if (backward !== null)
      this.chart.append(svg("path", { class: "curve backward", d: curve(backward) }));
    const powers = (v: number): string => {
      const n = Math.log10(v);
      return Math.abs(n - Math.round(n)) < 1e-9 && Math.round(n) % 2 === 0 ? `10${raised(Math.round(n))}` : "";
    }; // prettier-ignore
    this.chart.append(
      axes({ x: across, y, frame: FRAME, xLabel: WORDS[densities.of], yLabel: "density", xTicks: 8,
        yTicks: 5, ...(this.linear ? {} : { yFormat: powers }) }),
      this.legend(symbol),
    ); // prettier-ignore
    this.theorem(densities, across);
    this.report(densities, symbol);
  }

  private bars(across: Scale, y: Scale, floor: number): SVGElement[] {
    const { sampled, densities } = this;
    if (sampled === null || densities === null) return [];
    const { x } = densities;
    const width = (x.at(-1)! - x[0]) / sampled.counts.length;
    return sampled.counts.flatMap((count, k) => {
      const p = count / (sampled.trajectories * width);
      if (!(p > floor)) return [];
      const left = across(x[0] + k * width);
      const top = y(p);
      const size = { x: left, y: top, width: across(x[0] + (k + 1) * width) - left };
      return [svg("rect", { class: "count", ...size, height: FRAME.bottom - top })];
    });
  }

  private legend(symbol: string): SVGElement {
    const group = svg("g", { class: "legend" });
    const entries: [string, string, number][] = [
      ["curve forward", `forward p_F(${symbol})`, 0],
      ["curve backward", `backward, mirrored p_B(−${symbol})`, 138],
      ["count", "sampled", 344],
    ];
    entries.forEach(([name, text, shift]) => {
      const top = 14;
      const [a, b] = [FRAME.left + shift, FRAME.left + shift + 24];
      group.append(
        name === "count"
          ? svg("rect", { class: name, x: a, y: top - 7, width: 24, height: 8 })
          : svg("line", { class: name, x1: a, x2: b, y1: top - 3, y2: top - 3 }),
        svg("text", { class: "label", x: b + 6, y: top }, ...rich(text)),
      );
    });
    return group;
  }

  // ln p_F(Σ)/p_B(-Σ) against Σ: a line of slope one, [I] 4.19.
  private theorem(densities: Densities, across: Scale): void {
    const { x, forward, backward } = densities;
    const applies = densities.of === "entropy_production" && backward !== null;
    this.ratio.toggleAttribute("hidden", !applies);
    if (!applies || backward === null) return;
    const y = scaleLinear().domain(across.domain()).range([BELOW.bottom, BELOW.top]);
    const step = Math.max(1, Math.floor(x.length / 60));
    const dots = x.flatMap((value, i) => {
      const ratio = Math.log(forward[i] / backward[i]);
      const shown = i % step === 0 && Number.isFinite(ratio);
      return shown ? [svg("circle", { class: "ratio", r: 2.4, cx: across(value), cy: y(ratio) })] : [];
    }); // prettier-ignore
    const [a, b] = across.domain();
    this.ratio.replaceChildren(
      svg("line", { class: "theorem", x1: across(a), x2: across(b), y1: y(a), y2: y(b) }),
      ...dots,
      axes({ x: across, y, frame: BELOW, xLabel: "entropy production Σ", yLabel: "ln p_F/p_B",
        xTicks: 8, yTicks: 4 }),
    ); // prettier-ignore
  }

  private report(densities: Densities, symbol: string): void {
    const facts: string[] = [];
    if (densities.mean !== null) facts.push(`⟨${symbol}⟩ = ${short(densities.mean)} exact`);
    const { sampled } = this;
    if (sampled !== null) {
      facts.push(
        `${short(sampled.mean)} ± ${short(Number(sampled.mean_error.toPrecision(2)))} of ` +
          `${sampled.trajectories.toLocaleString("en")} paths`,
      );
      facts.push(
        `⟨exp(−Σ)⟩ = ${short(sampled.exponential_average)} ± ` +
          `${short(Number(sampled.exponential_average_error.toPrecision(2)))}`,
      );
    }
    const off = densities.largest_deviation;
    if (off !== undefined && off !== null)
      facts.push(`theorem to ${short(Number(off.toPrecision(1)))}`);
    this.facts.textContent = facts.join(" · ");
    this.facts.dataset.mean = String(densities.mean);
  }
}
