// A density given by real spherical harmonics, drawn into a table over the sphere.
//
// S_l0 = Θ_l0, S_lm = √2 Θ_lm cos mφ, S_l,-m = √2 Θ_lm sin mφ; within one degree the orders are
// 0, 1, -1, 2, -2, ... (src/spintherm/fokker_planck/harmonics.py). The table's rows are equidistant
// in sin(θ/2), so that they lie densely about the axis to which the density is drawn.

export interface Coefficients {
  l_max: number;
  m_max: number;
  frame: number[][];
  coefficients: number[];
}

export const ROWS = 192;
export const COLUMNS = 128;

export interface Table {
  values: Float32Array; // (ROWS + 1) rows of COLUMNS + 1
  largest: number;
  frame: number[][];
  axial: boolean;
}

// Where the coefficient of degree l and order m stands.
export function place(l: number, m: number, m_max: number): number {
  const low = Math.min(l, m_max);
  return low * low + (l - low) * (2 * m_max + 1) + (m > 0 ? 2 * m - 1 : -2 * m);
}

export function tableOf(density: Coefficients): Table {
  const { l_max, m_max, coefficients, frame } = density;
  const rows = ROWS + 1;
  const cosine = new Float64Array(rows);
  const sine = new Float64Array(rows);
  for (let j = 0; j < rows; j++) {
    const half = j / ROWS; // sin(θ/2)
    cosine[j] = 1 - 2 * half * half;
    sine[j] = 2 * half * Math.sqrt(Math.max(0, 1 - half * half));
  }
  const even = Array.from({ length: m_max + 1 }, () => new Float64Array(rows));
  const odd = Array.from({ length: m_max + 1 }, () => new Float64Array(rows));
  const top = new Float64Array(rows).fill(Math.sqrt(0.25 / Math.PI));
  let before = new Float64Array(rows);
  let now = new Float64Array(rows);
  let after = new Float64Array(rows);
  for (let m = 0; m <= m_max; m++) {
    if (m > 0) {
      const factor = Math.sqrt((2 * m + 1) / (2 * m));
      for (let j = 0; j < rows; j++) top[j] *= sine[j] * factor;
    }
    before.fill(0);
    now.set(top);
    let last = 0;
    const weight = m > 0 ? Math.SQRT2 : 1;
    for (let l = m; l <= l_max; l++) {
      const c = weight * coefficients[place(l, m, m_max)];
      const s = m > 0 ? weight * coefficients[place(l, -m, m_max)] : 0;
      const a = Math.sqrt(((l + 1) ** 2 - m * m) / (4 * (l + 1) ** 2 - 1));
      const [e, o] = [even[m], odd[m]];
      for (let j = 0; j < rows; j++) {
        e[j] += c * now[j];
        o[j] += s * now[j];
        after[j] = (cosine[j] * now[j] - last * before[j]) / a;
      }
      last = a;
      [before, now, after] = [now, after, before];
    }
  }
  return tabulated(even, odd, frame, m_max);
}

function tabulated(
  even: Float64Array[],
  odd: Float64Array[],
  frame: number[][],
  m_max: number,
): Table {
  const width = COLUMNS + 1;
  const values = new Float32Array((ROWS + 1) * width);
  const cosines = new Float64Array(COLUMNS);
  for (let k = 0; k < COLUMNS; k++) cosines[k] = Math.cos((2 * Math.PI * k) / COLUMNS);
  let largest = 0;
  for (let j = 0; j <= ROWS; j++) {
    for (let k = 0; k < COLUMNS; k++) {
      let sum = even[0][j];
      for (let m = 1; m <= m_max; m++) {
        const c = cosines[(m * k) % COLUMNS];
        const s = cosines[(m * k + 3 * (COLUMNS / 4)) % COLUMNS];
        sum += even[m][j] * c + odd[m][j] * s;
      }
      values[j * width + k] = sum;
      if (sum > largest) largest = sum;
    }
    values[j * width + COLUMNS] = values[j * width];
  }
  return { values, largest, frame, axial: m_max === 0 };
}

// Value at a unit vector, bilinear between the places of the table.
export function valueAt(table: Table, n: readonly number[]): number {
  const [x, y, z] = table.frame.map((row) => row[0] * n[0] + row[1] * n[1] + row[2] * n[2]);
  return lookUp(table, x, y, z);
}

export function lookUp(table: Table, x: number, y: number, z: number): number {
  const width = COLUMNS + 1;
  const u = Math.sqrt(Math.max(0, 0.5 * (1 - z))) * ROWS;
  const j = Math.min(ROWS - 1, u | 0);
  const du = u - j;
  let k = 0;
  let dv = 0;
  if (!table.axial) {
    let v = angle(y, x) * (COLUMNS / (2 * Math.PI));
    if (v < 0) v += COLUMNS;
    k = Math.min(COLUMNS - 1, v | 0);
    dv = v - k;
  }
  const p = table.values;
  const at = j * width + k;
  const upper = p[at] + dv * (p[at + 1] - p[at]);
  const lower = p[at + width] + dv * (p[at + width + 1] - p[at + width]);
  return upper + du * (lower - upper);
}

// The arc tangent of y/x to 1e-5, a thousandth of a column, at a third of its price.
function angle(y: number, x: number): number {
  const [u, v] = [Math.abs(x), Math.abs(y)];
  const most = u > v ? u : v;
  if (most === 0) return 0;
  const a = (u > v ? v : u) / most;
  const s = a * a;
  const p = ((((-0.01172120 * s + 0.05265332) * s - 0.11643287) * s + 0.19354346) * s - 0.33262347) * s + 0.99997726; // prettier-ignore
  let r = p * a;
  if (v > u) r = Math.PI / 2 - r;
  if (x < 0) r = Math.PI - r;
  return y < 0 ? -r : r;
}
