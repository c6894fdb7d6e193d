// Colours of Okabe and Ito, as in src/spintherm/plot/style.py, and the shades of a density.

export const OKABE_ITO = {
  blue: "#0072B2",
  orange: "#E69F00",
  green: "#009E73",
  sky: "#56B4E9",
  vermillion: "#D55E00",
  purple: "#CC79A7",
};

type Rgb = [number, number, number];

const LIGHT: Rgb[] = [
  [244, 247, 250],
  [198, 221, 237],
  [112, 173, 211],
  [0, 114, 178],
  [0, 62, 107],
];
const DARK: Rgb[] = [
  [30, 38, 47],
  [24, 66, 96],
  [22, 110, 160],
  [86, 180, 233],
  [224, 243, 255],
];

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "dark" || chosen === "light") return chosen === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

// 256 shades from none to the largest density, three bytes each.
export function shades(dark: boolean): Uint8Array {
  const stops = dark ? DARK : LIGHT;
  const out = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const u = (i / 255) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(u));
    for (let c = 0; c < 3; c++)
      out[3 * i + c] = Math.round(stops[k][c] + (u - k) * (stops[k + 1][c] - stops[k][c]));
  }
  return out;
}

export function variable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
