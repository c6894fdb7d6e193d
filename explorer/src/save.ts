// Figures as files: drawings as SVG that stand for themselves, the sphere as PNG too.

const KEPT = [
  "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity",
  "opacity", "font-family", "font-size", "font-style", "font-weight", "text-anchor", "visibility",
]; // prettier-ignore

export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// The chart with the styles that the page gives it written into each element.
export function standalone(chart: SVGSVGElement): string {
  const copy = chart.cloneNode(true) as SVGSVGElement;
  const originals = [...chart.querySelectorAll<SVGElement>("*")];
  const copies = [...copy.querySelectorAll<SVGElement>("*")];
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    for (const name of KEPT) {
      const value = style.getPropertyValue(name);
      if (value !== "") copies[i].setAttribute(name, value);
    }
    for (const name of ["class", "tabindex", "role"]) copies[i].removeAttribute(name);
  });
  return written(copy);
}

// A drawing with its size and its paper, as a file.
function written(copy: SVGSVGElement): string {
  const [, , width, height] = (copy.getAttribute("viewBox") ?? "0 0 520 360").split(" ");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const background = getComputedStyle(document.documentElement).getPropertyValue("--surface");
  for (const [name, value] of Object.entries({ width, height, fill: background.trim() }))
    paper.setAttribute(name, value);
  copy.prepend(paper);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}

export function saveChart(name: string, chart: SVGSVGElement): void {
  saveText(name, standalone(chart));
}

// A drawing that has its colours written into it.
export function saveDrawing(name: string, drawing: SVGSVGElement): void {
  saveText(name, written(drawing));
}

function saveText(name: string, text: string): void {
  download(`${name}.svg`, new Blob([text], { type: "image/svg+xml" }));
}

export function saveCanvas(name: string, canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => {
    if (blob !== null) download(`${name}.png`, blob);
  }, "image/png");
}
