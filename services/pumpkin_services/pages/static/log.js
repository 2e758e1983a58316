// A live log: ANSI colours, carriage returns, search; only the newest lines are kept in the page.
import { follow, h } from "./core.js";

const KEPT = 5000;
const TAIL = 256 * 1024;
const ESCAPE = /\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]/g;

/** Split a line into pieces of one look; `state` is carried on to the next line. */
export function pieces(line, state) {
  const found = [];
  let at = 0;
  const push = (end) => end > at && found.push({ text: line.slice(at, end), ...state });
  for (const match of line.matchAll(ESCAPE)) {
    push(match.index);
    at = match.index + match[0].length;
    if (match[1] !== undefined) look(match[1], state);
  }
  push(line.length);
  return found;
}

function look(codes, state) {
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) Object.assign(state, { colour: null, bold: false });
    else if (code === 1) state.bold = true;
    else if (code === 22) state.bold = false;
    else if (code >= 30 && code <= 37) state.colour = code - 30;
    else if (code >= 90 && code <= 97) state.colour = code - 90;
    else if (code === 39) state.colour = null;
    else if (code === 38 || code === 48) return; // 256 colours: the text matters, the shade does not
  }
}

/** What a terminal would show of a line with carriage returns: the last thing written. */
const written = (line) => line.replace(/\r+$/, "").split("\r").at(-1);

export class Log {
  constructor(place) {
    this.place = place;
    this.follow = true;
    this.source = null;
    this.path = null;
    this.clear();
    // A browser keeps six connections to one place: hidden tabs give theirs back.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.source?.close();
      else if (this.path && this.source?.readyState === EventSource.CLOSED && !this.ended) this.listen();
    });
  }

  clear() {
    this.source?.close();
    this.offset = -TAIL;
    this.ended = false;
    this.rest = "";
    this.state = { colour: null, bold: false };
    this.partial = null;
    this.needle = "";
    this.place.replaceChildren();
  }

  /** Follow `path` from its last part on. */
  open(path) {
    this.clear();
    this.path = path;
    this.listen();
  }

  listen() {
    this.source = follow(`${this.path}?offset=${this.offset}`, {
      log: (event) => {
        this.offset = Number(event.lastEventId);
        this.add(JSON.parse(event.data).text);
      },
      end: () => { this.ended = true; },
    });
  }

  add(text) {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop();
    this.partial?.remove();
    const before = { ...this.state };
    this.place.append(...lines.map((line) => this.line(written(line))));
    this.partial = null;
    if (this.rest) {
      const state = lines.length ? { ...this.state } : before;
      this.partial = this.line(written(this.rest));
      this.state = state; // it is drawn again once it is whole
      this.place.append(this.partial);
    }
    while (this.place.childElementCount > KEPT) this.place.firstElementChild.remove();
    if (this.follow) this.place.scrollTop = this.place.scrollHeight;
  }

  line(text) {
    const row = h("div", {}, pieces(text, this.state).map(({ text: words, colour, bold }) =>
      colour === null && !bold ? words : h("span", { class: `${colour === null ? "" : `a${colour}`}${bold ? " bold" : ""}`.trim() }, words)));
    if (!row.childNodes.length) row.append("\u200b");
    this.mark(row);
    return row;
  }

  /** Mark what is searched for, and go to its last place. */
  search(needle) {
    this.needle = needle.toLowerCase();
    let last = null;
    for (const row of this.place.children) if (this.mark(row)) last = row;
    last?.scrollIntoView({ block: "center" });
  }

  mark(row) {
    for (const old of row.querySelectorAll("mark")) old.replaceWith(old.textContent);
    row.normalize();
    if (!this.needle) return false;
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    let any = false;
    for (const node of texts) {
      const at = node.data.toLowerCase().indexOf(this.needle);
      if (at < 0) continue;
      const hit = node.splitText(at);
      hit.splitText(this.needle.length);
      hit.replaceWith(h("mark", {}, hit.data));
      any = true;
    }
    return any;
  }
}
