/** Play, pause, step, scrub and speed over anything that has an index. */

export interface Track {
  readonly index: number;
  readonly first: number;
  /** The last index there can be; null while it is not known. */
  readonly last: number | null;
  /** Frames a second at speed 1. */
  readonly fps: number;
  /** Go to an index; resolves, when that is drawn, with whether it was reached. */
  go(index: number): Promise<boolean>;
}

const PLAY = "M8 5.5v13l10.5-6.5z";
const PAUSE = "M7 5.5h3.4v13H7zM13.6 5.5H17v13h-3.4z";

export class Transport {
  private playing = false;
  private speed = 1;
  private turn = 0;
  private playButton: HTMLButtonElement;

  constructor(
    private root: HTMLElement,
    private track: Track,
    private onPlaying: (playing: boolean) => void,
  ) {
    const bar = root.querySelector(".transport") as HTMLElement;
    const button = (action: string): HTMLButtonElement =>
      bar.querySelector(`[data-action="${action}"]`) as HTMLButtonElement;
    this.playButton = button("play");
    this.playButton.addEventListener("click", () => this.toggle());
    button("step").addEventListener("click", () => this.step(1));
    button("step-back").addEventListener("click", () => this.step(-1));
    button("restart").addEventListener("click", () => this.restart());
    const speed = bar.querySelector('[name="speed"]') as HTMLSelectElement;
    speed.addEventListener("change", () => (this.speed = Number(speed.value)));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  toggle(): void {
    if (this.playing) this.pause();
    else void this.play();
  }

  pause(): void {
    if (!this.playing) return;
    this.turn++;
    this.set(false);
  }

  step(by: number): void {
    this.pause();
    void this.track.go(this.within(this.track.index + by));
  }

  restart(): void {
    this.pause();
    void this.track.go(this.track.first);
  }

  private async play(): Promise<void> {
    const turn = ++this.turn;
    this.set(true);
    if (this.track.last !== null && this.track.index >= this.track.last) await this.track.go(this.track.first);
    let due = performance.now();
    while (turn === this.turn && (this.track.last === null || this.track.index < this.track.last)) {
      due = Math.max(due + 1000 / (this.track.fps * this.speed), performance.now());
      await until(due);
      if (turn !== this.turn) return;
      // At four times the speed of a fast recording there are more frames than screen refreshes.
      const reached = await this.track.go(this.within(this.track.index + 1));
      if (!reached) break;
    }
    if (turn === this.turn) this.set(false);
  }

  private within(index: number): number {
    return Math.max(this.track.first, Math.min(index, this.track.last ?? Infinity));
  }

  private set(playing: boolean): void {
    this.playing = playing;
    this.playButton.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.playButton.querySelector("path")?.setAttribute("d", playing ? PAUSE : PLAY);
    this.root.toggleAttribute("data-playing", playing);
    this.onPlaying(playing);
  }

  /** Space and the arrows work wherever the focus is, but where they already mean something. */
  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest("input, select, textarea, summary, pre, .sim-code")) return;
    if (event.key === " " && !target.closest("button, a")) this.toggle();
    else if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft") this.step(-1);
    else return;
    event.preventDefault();
  }
}

function until(time: number): Promise<void> {
  return new Promise((resolve) => {
    const wait = (now: number): void => {
      if (now >= time - 4) resolve();
      else requestAnimationFrame(wait);
    };
    requestAnimationFrame(wait);
  });
}
