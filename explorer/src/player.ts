// Time on the page: one place between 0 and 1 that runs, or is moved by hand, for all that shows it.

const SECONDS = 12;
export const STEPS = 239;

export class Player {
  onPlace: (place: number, byHand: boolean) => void = () => {};
  private started: number | null = null;
  private value = 0;

  constructor(
    private readonly button: HTMLButtonElement,
    private readonly slider: HTMLInputElement,
  ) {
    slider.max = String(STEPS);
    button.addEventListener("click", () => {
      if (this.started === null) this.start();
      else this.pause();
    });
    slider.addEventListener("input", () => {
      this.pause();
      this.place(Number(slider.value), true);
    });
  }

  get frame(): number {
    return this.value;
  }

  get running(): boolean {
    return this.started !== null;
  }

  place(frame: number, byHand = false): void {
    this.value = Math.max(0, Math.min(STEPS, Math.round(frame)));
    this.slider.value = String(this.value);
    this.onPlace(this.value, byHand);
  }

  says(text: string): void {
    this.slider.setAttribute("aria-valuetext", text);
  }

  pause(): void {
    this.started = null;
    this.button.textContent = "Play";
    this.button.setAttribute("aria-pressed", "false");
  }

  start(): void {
    if (this.started !== null) return;
    if (this.value >= STEPS) this.place(0);
    this.started = performance.now() - (this.value / STEPS) * SECONDS * 1000;
    this.button.textContent = "Pause";
    this.button.setAttribute("aria-pressed", "true");
    const step = (): void => {
      if (this.started === null) return;
      const share = (performance.now() - this.started) / (SECONDS * 1000);
      if (Math.round(share * STEPS) !== this.value) this.place(share * STEPS);
      if (share >= 1) this.pause();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}
