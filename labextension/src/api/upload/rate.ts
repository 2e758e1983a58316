/** How fast something goes, over the last seconds: what is smooth enough to read and young enough to be true. */
const WINDOW_MS = 8000;

export class Rate {
  private samples: { time: number; done: number }[] = [];

  /** Takes how much is done by now. */
  add(done: number, time: number): void {
    this.samples.push({ time, done });
    while (this.samples.length > 2 && time - (this.samples[1]?.time ?? time) > WINDOW_MS) {
      this.samples.shift();
    }
  }

  /** Forgets what was, after a pause. */
  clear(): void {
    this.samples = [];
  }

  /** Per second; 0 while nothing can be said. */
  perSecond(): number {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    const seconds = first && last ? (last.time - first.time) / 1000 : 0;
    return first && last && seconds >= 0.5 ? (last.done - first.done) / seconds : 0;
  }
}
