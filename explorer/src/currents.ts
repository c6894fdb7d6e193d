// The currents on the sphere, from the coefficients of a density, [I] 2.16 per unit solid angle:
//
//   J_R = -γ₀ p n×(H + m×P),   J_IR = -η m p n×[n×(H + m×P)] - η T ∇p .
//
// The page computes them itself, at every time of a process too: the server sends the density alone.

import { place, type Coefficients } from "./density";
import type { Magnet } from "./state";

const STRIDE = 1.5; // ratio of the concentrations between which is chosen
const FEWEST = 0.1;

export interface Currents {
  points: Float64Array; // (count, 3), unit vectors in the user's frame, as are the currents
  reversible: Float64Array; // (count, 3), probability per time and length on the unit sphere
  irreversible: Float64Array;
  largest: { reversible: number; irreversible: number }; // 0 for what rounding leaves of nothing
  spacing: number; // of the points where they are densest
}

const ROUNDING = 1e-5; // of the coefficients that are sent, times their degrees

// Directions (count, 3), equal shares of exp(κ n_z) in a golden spiral: denser about z the larger κ.
export function spread(count: number, kappa: number): Float64Array {
  const out = new Float64Array(3 * count);
  const turn = Math.PI * (3 - Math.sqrt(5));
  for (let k = 0; k < count; k++) {
    const share = (k + 0.5) / count;
    const x = -Math.log1p(share * Math.expm1(-2 * kappa)) / kappa;
    const within = Math.max(0, Math.min(2, x));
    const radius = Math.sqrt(within * (2 - within));
    out[3 * k] = radius * Math.cos(turn * k);
    out[3 * k + 1] = radius * Math.sin(turn * k);
    out[3 * k + 2] = 1 - within;
  }
  return out;
}

// A sixth of the concentration that has the density's mean along the axis of its frame: the points
// are spread much wider than the density, so that its rim is covered too. In steps, so that the
// points stay where they are while a parameter moves.
export function concentration(density: Coefficients): number {
  const along = Math.min(0.99999, Math.max(0, (density.coefficients[place(1, 0, density.m_max)] ?? 0) * Math.sqrt((4 * Math.PI) / 3))); // prettier-ignore
  const kappa = (along * (3 - along * along)) / (1 - along * along);
  const step = Math.round(Math.log(Math.max(kappa / 6, FEWEST)) / Math.log(STRIDE));
  return STRIDE ** step;
}

// Density (count) and its surface gradient (count, 3) at directions, both in the density's frame.
export function densityAndGradient(
  density: Coefficients,
  directions: Float64Array,
): { p: Float64Array; slope: Float64Array } {
  const { l_max, m_max, coefficients } = density;
  const count = directions.length / 3;
  const p = new Float64Array(count);
  const slope = new Float64Array(3 * count);
  // the coefficients in the order in which they are used: m, l, cosine before sine
  const cosines: number[] = [];
  const sines: number[] = [];
  const ahead: number[] = [];
  for (let m = 0; m <= m_max; m++)
    for (let l = m; l <= l_max; l++) {
      cosines.push((m > 0 ? Math.SQRT2 : 1) * coefficients[place(l, m, m_max)]);
      sines.push(m > 0 ? Math.SQRT2 * coefficients[place(l, -m, m_max)] : 0);
      ahead.push(Math.sqrt(((l + 1) ** 2 - m * m) / (4 * (l + 1) ** 2 - 1)));
    }
  const c = Float64Array.from(cosines);
  const s = Float64Array.from(sines);
  const a = Float64Array.from(ahead);
  for (let k = 0; k < count; k++) {
    const [x, y, z] = [directions[3 * k], directions[3 * k + 1], directions[3 * k + 2]];
    const sine = Math.max(1e-9, Math.hypot(x, y));
    const [cosPhi, sinPhi] = [x / sine, y / sine];
    let [value, polar, azimuthal] = [0, 0, 0]; // p, sinθ ∂p/∂θ, ∂p/∂φ
    let top = Math.sqrt(0.25 / Math.PI);
    let [cm, sm] = [1, 0]; // cos mφ, sin mφ
    let at = 0;
    for (let m = 0; m <= m_max; m++) {
      if (m > 0) {
        top *= sine * Math.sqrt((2 * m + 1) / (2 * m));
        [cm, sm] = [cm * cosPhi - sm * sinPhi, sm * cosPhi + cm * sinPhi];
      }
      let [before, now, last] = [0, top, 0];
      let [even, odd, evenSlope, oddSlope] = [0, 0, 0, 0];
      for (let l = m; l <= l_max; l++, at++) {
        // sinθ Θ' = l cosθ Θ_l - (2l + 1) a_l Θ_{l-1}
        const derivative = l * z * now - (2 * l + 1) * last * before;
        even += c[at] * now;
        odd += s[at] * now;
        evenSlope += c[at] * derivative;
        oddSlope += s[at] * derivative;
        const next = (z * now - last * before) / a[at];
        last = a[at];
        before = now;
        now = next;
      }
      value += even * cm + odd * sm;
      polar += evenSlope * cm + oddSlope * sm;
      azimuthal += m * (odd * cm - even * sm);
    }
    p[k] = value;
    // ∇p = ∂p/∂θ e_θ + (1/sinθ) ∂p/∂φ e_φ
    const [t, f] = [polar / sine, azimuthal / sine];
    slope[3 * k] = t * z * cosPhi - f * sinPhi;
    slope[3 * k + 1] = t * z * sinPhi + f * cosPhi;
    slope[3 * k + 2] = -t * sine;
  }
  return { p, slope };
}

// The currents at points with the concentration κ about the axis of the density's frame.
export function currentsOf(
  magnet: Magnet,
  field: readonly number[],
  torque: readonly number[],
  density: Coefficients,
  count: number,
  kappa: number,
): Currents {
  const { moment, gyromagnetic_ratio, damping, temperature } = magnet;
  const { frame } = density;
  const directions = spread(count, kappa);
  const { p, slope } = densityAndGradient(density, directions);
  const points = new Float64Array(3 * count);
  const reversible = new Float64Array(3 * count);
  const irreversible = new Float64Array(3 * count);
  const largest = { reversible: 0, irreversible: 0 };
  const back = (v: Float64Array, k: number): number[] =>
    [0, 1, 2].map((i) => frame[0][i] * v[3 * k] + frame[1][i] * v[3 * k + 1] + frame[2][i] * v[3 * k + 2]); // prettier-ignore
  for (let k = 0; k < count; k++) {
    const n = back(directions, k);
    const gradient = back(slope, k);
    const push = cross(n, torque).map((v, i) => field[i] + moment * v);
    const turn = cross(n, push);
    const damped = cross(n, turn);
    let [first, second] = [0, 0];
    for (let i = 0; i < 3; i++) {
      const r = -gyromagnetic_ratio * p[k] * turn[i];
      const d = -damping * (moment * p[k] * damped[i] + temperature * gradient[i]);
      points[3 * k + i] = n[i];
      reversible[3 * k + i] = r;
      irreversible[3 * k + i] = d;
      first += r * r;
      second += d * d;
    }
    largest.reversible = Math.max(largest.reversible, Math.sqrt(first));
    largest.irreversible = Math.max(largest.irreversible, Math.sqrt(second));
  }
  const force = Math.hypot(...field) + moment * Math.hypot(...torque);
  const rate = (Math.abs(gyromagnetic_ratio) + damping * moment) * force + damping * temperature;
  const least = ROUNDING * rate * p.reduce((a, b) => Math.max(a, b), 0);
  for (const flow of ["reversible", "irreversible"] as const)
    if (largest[flow] < least) largest[flow] = 0;
  const spacing = Math.sqrt((-2 * Math.PI * Math.expm1(-2 * kappa)) / (kappa * count));
  return { points, reversible, irreversible, largest, spacing };
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
