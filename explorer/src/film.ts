// A driven process in time: the exact density at equally spaced times, and with it the currents.

import { currentsOf, type Currents } from "./currents";
import { tableOf, type Coefficients } from "./density";
import type { Moment } from "./numbers";
import { follow, Refusal } from "./server";
import type { Scene } from "./sphere";
import type { Knot, Magnet, Process, State } from "./state";

export const FRAMES = 240;
const ARROWS = 480;
const SAMPLED = 12; // every so many frames are looked at for the largest currents

interface Answer {
  times: number[];
  work: number[];
  heat: number[];
  pumped_entropy: number[];
  entropy_production_rate: number[];
  bath_entropy_rate: number[];
  pumped_entropy_rate: number[];
  mean_direction: number[][];
  density: Omit<Coefficients, "coefficients"> & { coefficients: number[][] };
}

export class Film {
  private largest: Currents["largest"] | null = null;

  constructor(
    readonly answer: Answer,
    private readonly magnet: Magnet,
    private readonly process: Process,
  ) {}

  scene(frame: number): Scene {
    const time = this.answer.times[frame];
    const density = this.density(frame);
    const [field, spin_torque] = this.drive(time);
    let currents: Currents | null = null;
    return {
      table: tableOf(density),
      currents: () => (currents ??= this.scaled(frame)),
      field,
      spin_torque,
      mean: this.answer.mean_direction[frame],
    };
  }

  moment(frame: number): Moment {
    const { answer } = this;
    return {
      mean_moment: answer.mean_direction[frame].map((c) => c * this.magnet.moment),
      work: answer.work[frame],
      heat: answer.heat[frame],
      pumped_entropy: answer.pumped_entropy[frame],
      entropy_production_rate: answer.entropy_production_rate[frame],
      bath_entropy_rate: answer.bath_entropy_rate[frame],
      pumped_entropy_rate: answer.pumped_entropy_rate[frame],
    };
  }

  private density(frame: number): Coefficients {
    const { density } = this.answer;
    return { ...density, coefficients: density.coefficients[frame] };
  }

  private drive(time: number): [number[], number[]] {
    return [at(this.process.field, time), at(this.process.spin_torque, time)];
  }

  private currents(frame: number): Currents {
    const [field, torque] = this.drive(this.answer.times[frame]);
    return currentsOf(this.magnet, field, torque, this.density(frame), ARROWS, 1e-6);
  }

  // Arrows of all times have one scale, so that they shrink where the magnet comes to rest.
  private scaled(frame: number): Currents {
    if (this.largest === null) {
      this.largest = { reversible: 0, irreversible: 0 };
      for (let k = 0; k < FRAMES; k += SAMPLED) this.widen(this.currents(k));
    }
    const found = this.currents(frame);
    this.widen(found);
    return { ...found, largest: this.largest };
  }

  private widen({ largest }: Currents): void {
    const mine = this.largest!;
    mine.reversible = Math.max(mine.reversible, largest.reversible);
    mine.irreversible = Math.max(mine.irreversible, largest.irreversible);
  }
}

// Asks for the film of the process that the page has, once for each.
export class FilmView {
  film: Film | null = null;
  onFilm: () => void = () => {};
  private asked = "";
  private running: AbortController | null = null;

  constructor(
    private readonly state: () => State,
    private readonly status: (words: string) => void,
    private readonly complain: (problem: Refusal | null) => void,
  ) {}

  question(): object {
    const { magnet, process } = this.state();
    return { drive: { magnet, ...process }, frames: FRAMES };
  }

  async compute(): Promise<void> {
    const question = this.question();
    const key = JSON.stringify(question);
    if (key === this.asked) return;
    this.asked = key;
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    const { magnet, process } = structuredClone(this.state());
    this.status("density in time …");
    try {
      const answer = await follow<Answer>("film", question, running.signal, {});
      if (running.signal.aborted) return;
      this.film = new Film(answer, magnet, process);
      this.status("");
      this.complain(null);
      this.onFilm();
    } catch (problem) {
      if (running.signal.aborted) return;
      this.asked = "";
      this.status("");
      if (problem instanceof Refusal && problem.status === 409) return;
      this.complain(problem instanceof Refusal ? problem : new Refusal(500, { "": "no answer" }));
    }
  }
}

// The vector of a waveform at a time: straight between knots, constant before and after them, and at
// a jump the value after it.
export function at(knots: Knot[], time: number): number[] {
  const after = knots.findIndex((knot) => knot[0] > time);
  if (after <= 0) return (after === 0 ? knots[0] : knots.at(-1)!).slice(1);
  const [a, b] = [knots[after - 1], knots[after]];
  const u = (time - a[0]) / (b[0] - a[0]);
  return [1, 2, 3].map((c) => a[c] + u * (b[c] - a[c]));
}
