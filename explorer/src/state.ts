// The state of the page: what the address bar holds after "#", and what everything is drawn from.

export type Knot = [number, number, number, number];

export interface Magnet {
  moment: number;
  gyromagnetic_ratio: number;
  damping: number;
  temperature: number;
}

export interface Process {
  duration: number;
  field: Knot[];
  spin_torque: Knot[];
}

export type Plane = "torque-angle" | "field-angle" | "field-torque" | "alpha-angle";
export type Tab = "phases" | "paths" | "process";
export type Quantity =
  | "entropy_production"
  | "work"
  | "heat"
  | "pumped_entropy"
  | "environment_entropy";

export interface State {
  magnet: Magnet;
  field: number;
  spin_torque: number;
  angle: number;
  plane: Plane;
  tab: Tab;
  process: Process;
  of: Quantity;
  source: "steady" | "process";
  seed: number;
  yaw: number;
  pitch: number;
  time: number; // share of the duration, from 0 to 1
  layers: string[];
  material: Record<string, string> | null;
}

export const LAYERS = ["density", "reversible", "irreversible", "paths"];
export const PLANES: Plane[] = ["torque-angle", "field-angle", "field-torque", "alpha-angle"];
export const TABS: Tab[] = ["phases", "paths", "process"];
export const QUANTITIES: Quantity[] = [
  "entropy_production",
  "work",
  "heat",
  "pumped_entropy",
  "environment_entropy",
];
export const SI = [
  "saturation_magnetisation",
  "gilbert_damping",
  "temperature",
  "volume",
  "induction",
  "current_density",
  "polarisation",
  "thickness",
];

export function initial(): State {
  return {
    magnet: { moment: Math.sqrt(3), gyromagnetic_ratio: 1, damping: 0.5, temperature: 1 },
    field: 2,
    spin_torque: 0.8,
    angle: 60,
    plane: "torque-angle",
    tab: "phases",
    process: {
      duration: 1,
      field: [
        [0, 0, 0, 1],
        [1, 0, 0, -1],
      ],
      spin_torque: [
        [0, 0, 0, 0],
        [0.5, 0, 1, 1],
        [1, 0, 0, 0],
      ],
    },
    of: "entropy_production",
    source: "steady",
    seed: 1,
    yaw: 0.7,
    pitch: 0.35,
    time: 0.5,
    layers: ["density", "reversible"],
    material: null,
  };
}

const NUMBERS: [string, (s: State) => number, (s: State, v: number) => void][] = [
  ["m", (s) => s.magnet.moment, (s, v) => (s.magnet.moment = v)],
  ["g", (s) => s.magnet.gyromagnetic_ratio, (s, v) => (s.magnet.gyromagnetic_ratio = v)],
  ["eta", (s) => s.magnet.damping, (s, v) => (s.magnet.damping = v)],
  ["T", (s) => s.magnet.temperature, (s, v) => (s.magnet.temperature = v)],
  ["H", (s) => s.field, (s, v) => (s.field = v)],
  ["P", (s) => s.spin_torque, (s, v) => (s.spin_torque = v)],
  ["theta", (s) => s.angle, (s, v) => (s.angle = v)],
  ["tau", (s) => s.process.duration, (s, v) => (s.process.duration = v)],
  ["seed", (s) => s.seed, (s, v) => (s.seed = v)],
  ["yaw", (s) => s.yaw, (s, v) => (s.yaw = v)],
  ["pitch", (s) => s.pitch, (s, v) => (s.pitch = v)],
  ["t", (s) => s.time, (s, v) => (s.time = Math.max(0, Math.min(1, v)))],
];

const written = (knots: Knot[]): string => knots.map((k) => k.join(",")).join(";");

function read(text: string): Knot[] | null {
  const knots = text.split(";").map((row) => row.split(",").map(Number));
  const fine = knots.length >= 2 && knots.every((k) => k.length === 4 && k.every(Number.isFinite));
  return fine ? (knots as Knot[]) : null;
}

function among<Word extends string>(words: readonly Word[], word: string | null): Word | null {
  return words.find((one) => one === word) ?? null;
}

export function toHash(s: State): string {
  const out = new URLSearchParams();
  for (const [key, get] of NUMBERS) out.set(key, String(get(s)));
  out.set("plane", s.plane);
  out.set("tab", s.tab);
  out.set("of", s.of);
  out.set("source", s.source);
  out.set("show", s.layers.join("."));
  out.set("field", written(s.process.field));
  out.set("torque", written(s.process.spin_torque));
  for (const [key, text] of Object.entries(s.material ?? {})) out.set(`si.${key}`, text);
  return out.toString().replace(/%2C/g, ",").replace(/%3B/g, ";");
}

// What is missing or unreadable keeps its initial value: the server judges the rest.
export function fromHash(hash: string): State {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const s = initial();
  for (const [key, , set] of NUMBERS) {
    const text = given.get(key);
    if (text !== null && text.trim() !== "" && Number.isFinite(Number(text))) set(s, Number(text));
  }
  s.plane = among(PLANES, given.get("plane")) ?? s.plane;
  s.tab = among(TABS, given.get("tab")) ?? s.tab;
  s.of = among(QUANTITIES, given.get("of")) ?? s.of;
  s.source =
    among(["steady", "process"] as const, given.get("source")) ??
    (s.tab === "process" ? "process" : "steady");
  const show = given.get("show");
  if (show !== null) s.layers = LAYERS.filter((layer) => show.split(".").includes(layer));
  s.process.field = read(given.get("field") ?? "") ?? s.process.field;
  s.process.spin_torque = read(given.get("torque") ?? "") ?? s.process.spin_torque;
  const texts = SI.filter((key) => given.has(`si.${key}`));
  if (texts.length === SI.length)
    s.material = Object.fromEntries(SI.map((key) => [key, given.get(`si.${key}`) ?? ""]));
  return s;
}
