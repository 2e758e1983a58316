/** Which jobs have ended since one last looked. */
import type { Schemas } from '../api/client';
import { isOpen } from '../api/queries';

type Glance = Schemas['Glance'];
export type Job = Schemas['JobGlance'];

export class Ended {
  private told: Set<string> | undefined;
  private running = new Set<string>();
  /** When the last one had ended as one looked first: what ended before is no news, whenever it comes to be listed. */
  private since = '';

  constructor(private readonly creator: string) {}

  /** Returns those of one's own jobs that have ended, and the ids of those that must have, but are not listed. */
  look(glance: Glance): { ended: Job[]; gone: string[] } {
    const mine = glance.items.filter(job => job.creator === this.creator);
    const ended = mine.filter(job => !isOpen(job.phase));
    const running = new Set(mine.filter(job => isOpen(job.phase) && job.phase !== 'queued').map(({ id }) => id));
    if (!this.told) {
      this.since = ended.reduce((last, { finished }) => (finished && finished > last ? finished : last), '');
      this.told = new Set(ended.map(({ id }) => id));
      this.running = running;
      return { ended: [], gone: [] };
    }
    const told = this.told;
    const news = ended.filter(({ id, finished }) => !told.has(id) && (finished ?? '') >= this.since);
    news.forEach(({ id }) => told.add(id));
    const listed = new Set(mine.map(({ id }) => id));
    // When not all that run are listed, one that is not may still run.
    const all = glance.items.filter(job => isOpen(job.phase) && job.phase !== 'queued').length === glance.running;
    const lost = [...this.running].filter(id => !listed.has(id));
    this.running = new Set([...running, ...(all ? [] : lost)]);
    return { ended: news, gone: all ? lost : [] };
  }
}
