// Sampled trajectories: they run on the sphere, and their work, heat and pumped entropy beside it.

import { scaleLinear } from "d3-scale";
import { FRAMES } from "./film";
import { follow, Refusal } from "./server";
import { PATH_COLOURS, type Sphere } from "./sphere";
import type { State } from "./state";
import { axes, path, svg, type Frame } from "./svg";

interface Answer {
  times: number[];
  directions: number[][][];
  work: number[][];
  heat: number[][];
  pumped_entropy: number[][];
  exact: {
    times: number[];
    work: number[];
    heat: number[];
    pumped_entropy: number[];
  };
}

const NUMBER = 12;
const STEADY_TIME = 6; // relaxation times
const WIDTH = 520;
const HEIGHT = 400;
const PANELS: ["work" | "heat" | "pumped_entropy", string][] = [
  ["work", "work W"],
  ["heat", "heat Q"],
  ["pumped_entropy", "pumped entropy S_P"],
];

export class PathsView {
  private answer: Answer | null = null;
  private asked = "";
  private running: AbortController | null = null;
  private cursors: SVGLineElement[] = [];
  private left = 0;
  private right = 1;
  private frame = 0;
  onPaths: () => void = () => {};

  constructor(
    private readonly state: () => State,
    private readonly sphere: Sphere,
    private readonly chart: SVGSVGElement,
    private readonly status: HTMLElement,
    private readonly complain: (problem: Refusal | null) => void,
  ) {
    chart.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  }

  // What was sampled belongs to something that is not shown any more.
  forget(): void {
    this.running?.abort();
    this.asked = "";
    this.answer = null;
    this.sphere.paths = null;
  }

  // Times of the trajectories, if there are any.
  get times(): number[] | null {
    return this.answer?.times ?? null;
  }

  // A constant protocol of some relaxation times for the steady state, or the process itself.
  question(): object {
    const s = this.state();
    const common = { trajectories: NUMBER, frames: FRAMES, seed: s.seed };
    if (s.source === "process")
      return { drive: { magnet: s.magnet, ...s.process }, initial: "equilibrium", ...common };
    const { moment, damping, temperature } = s.magnet;
    const radians = (s.angle * Math.PI) / 180;
    const across = s.angle === 180 ? 0 : Math.sin(radians);
    const H = [0, 0, s.field];
    const P = [s.spin_torque * across, 0, s.spin_torque * Math.cos(radians)];
    const rate = damping * Math.max(2 * temperature, moment * s.field);
    const duration = Number((STEADY_TIME / rate).toPrecision(3));
    const still = (v: number[]): number[][] => [
      [0, ...v],
      [duration, ...v],
    ];
    const drive = { magnet: s.magnet, duration, field: still(H), spin_torque: still(P) };
    return { drive, initial: "steady_state", ...common };
  }

  async compute(): Promise<void> {
    const question = this.question();
    const key = JSON.stringify(question);
    if (key === this.asked) return;
    this.asked = key;
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    this.status.textContent = "sampling …";
    try {
      const answer = await follow<Answer>("paths", question, running.signal, {
        compiling: () => (this.status.textContent = "preparing the sampler …"),
      });
      if (running.signal.aborted) return;
      this.answer = answer;
      this.complain(null);
      const duration = answer.times.at(-1)!;
      this.status.textContent = `${NUMBER} trajectories, duration ${Number(duration.toPrecision(3))}`;
      this.sphere.paths = { directions: answer.directions, frame: this.frame };
      this.render();
      this.onPaths();
    } catch (problem) {
      if (running.signal.aborted) return;
      this.asked = "";
      if (problem instanceof Refusal && problem.status === 409) return;
      this.status.textContent = "not sampled";
      this.complain(problem instanceof Refusal ? problem : new Refusal(500, { "": "no answer" }));
    }
  }

  place(frame: number): void {
    this.frame = frame;
    if (this.sphere.paths !== null) this.sphere.paths.frame = frame;
    const x = this.left + (frame / (FRAMES - 1)) * (this.right - this.left);
    for (const cursor of this.cursors) {
      cursor.setAttribute("x1", x.toFixed(1));
      cursor.setAttribute("x2", x.toFixed(1));
    }
  }

  private render(): void {
    const { answer } = this;
    if (answer === null) return;
    this.chart.replaceChildren();
    this.cursors = [];
    const { times } = answer;
    const room = (HEIGHT - 44) / PANELS.length;
    PANELS.forEach(([name, label], k) => {
      const top = 8 + k * room;
      const frame: Frame = { left: 58, right: WIDTH - 12, top, bottom: top + room - 12 };
      const values = answer[name];
      const all = [...values.flat(), ...answer.exact[name]];
      const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
      const pad = 0.06 * (high - low || 1);
      const x = scaleLinear().domain([0, times.at(-1)!]).range([frame.left, frame.right]);
      const y = scaleLinear().domain([low - pad, high + pad]).range([frame.bottom, frame.top]);
      [this.left, this.right] = [frame.left, frame.right];
      const last = k === PANELS.length - 1;
      this.chart.append(
        axes({ x, y, frame, yLabel: label, yTicks: 3, ...(last ? { xLabel: "time t" } : { xFormat: () => "" }) }),
      ); // prettier-ignore
      values.forEach((row, index) => {
        const d = path(row.map((v, i) => [x(times[i]), y(v)] as const));
        const line = svg("path", { class: "walk", d });
        line.setAttribute("stroke", PATH_COLOURS[index % PATH_COLOURS.length]);
        this.chart.append(line);
      });
      const mean = answer.exact[name].map((v, i) => [x(answer.exact.times[i]), y(v)] as const);
      this.chart.append(svg("path", { class: "mean", d: path(mean) }));
      const cursor = svg("line", { class: "cursor", y1: frame.top, y2: frame.bottom });
      this.cursors.push(cursor);
      this.chart.append(cursor);
    });
    this.place(this.frame);
  }
}
