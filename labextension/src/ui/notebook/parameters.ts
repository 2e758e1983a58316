/** The parameters of a notebook: the simple assignments in the cell tagged `parameters`, as papermill has it. */
import { joined, type NotebookCell } from './document';

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

export interface Parameter {
  name: string;
  /** The value as it is written in the cell; of text what is between its quotes. */
  text: string;
  isText: boolean;
}

const TAG = 'parameters';
// A name, perhaps with its type, that gets a value; not a comparison.
const ASSIGNMENT = /^([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)[ \t]*/gm;
const REST = /[ \t]*(?:#.*)?(?:\n|$)/y;
const NUMBER = /[+-]?(?:0[xX][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?![\w.])/y;
const NAME = /(?:True|False|None)\b/y;
const SPACE = /(?:\s|#.*\n)*/y;
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', '\n': '' };

/** Returns what the first cell tagged `parameters` assigns; what is computed there is left out. */
export function parametersOf(cells: readonly NotebookCell[]): Parameter[] {
  const cell = cells.find(each => each.cell_type === 'code' && hasTag(each));
  const source = joined(cell?.source);
  const found = new Map<string, Parameter>();
  for (const match of source.matchAll(ASSIGNMENT)) {
    const [whole, name = ''] = match;
    const start = match.index + whole.length;
    const literal = read(source, start);
    if (literal && matches(REST, source, literal.end) !== null) {
      const { value, end } = literal;
      const isText = typeof value === 'string';
      found.set(name, { name, isText, text: isText ? value : source.slice(start, end) });
    }
  }
  return [...found.values()];
}

/** Returns the value typed for a parameter; undefined for what is no value. */
export function valueOf(parameter: Pick<Parameter, 'isText'>, typed: string): Value | undefined {
  if (parameter.isText) {
    return typed;
  }
  const text = typed.trim();
  const literal = read(text, 0);
  return literal?.end === text.length ? literal.value : undefined;
}

function hasTag(cell: NotebookCell): boolean {
  const tags = cell.metadata?.tags;
  return Array.isArray(tags) && tags.includes(TAG);
}

interface Literal {
  value: Value;
  end: number;
}

/** Reads one Python literal that JSON has too; null when there is another thing. */
function read(text: string, at: number): Literal | null {
  const first = text[at] ?? '';
  if (first === '"' || first === "'") {
    return readText(text, at, first);
  }
  if (first === '[' || first === '(') {
    return readItems(text, at + 1, first === '[' ? ']' : ')');
  }
  if (first === '{') {
    return readPairs(text, at + 1);
  }
  const number = matches(NUMBER, text, at);
  if (number !== null) {
    const value = Number(number.replaceAll('_', '').replace(/^([+-])?/, ''));
    return Number.isFinite(value) ? { value: number.startsWith('-') ? -value : value, end: at + number.length } : null;
  }
  const name = matches(NAME, text, at);
  return name === null ? null : { value: name === 'None' ? null : name === 'True', end: at + name.length };
}

function readText(text: string, from: number, quote: string): Literal | null {
  const long = text.startsWith(quote.repeat(3), from);
  const close = long ? quote.repeat(3) : quote;
  let value = '';
  for (let at = from + close.length; at < text.length; at += 1) {
    if (text.startsWith(close, at)) {
      return { value, end: at + close.length };
    }
    const letter = text[at] ?? '';
    if (letter === '\n' && !long) {
      return null;
    }
    if (letter === '\\') {
      at += 1;
      const escaped = ESCAPES[text[at] ?? ''];
      if (escaped === undefined) {
        return null; // \x41, \N{…}: rare, and better left to Python
      }
      value += escaped;
    } else {
      value += letter;
    }
  }
  return null;
}

function readItems(text: string, from: number, close: string): Literal | null {
  const value: Value[] = [];
  let at = skip(text, from);
  let isTuple = close === ']';
  while (text[at] !== close) {
    const item = read(text, at);
    if (!item) {
      return null;
    }
    value.push(item.value);
    at = skip(text, item.end);
    if (text[at] === ',') {
      isTuple = true;
      at = skip(text, at + 1);
    } else if (text[at] !== close) {
      return null;
    }
  }
  const [only] = value;
  return { value: isTuple || only === undefined ? value : only, end: at + 1 };
}

function readPairs(text: string, from: number): Literal | null {
  const pairs: [string, Value][] = [];
  let at = skip(text, from);
  while (text[at] !== '}') {
    const key = read(text, at);
    const colon = skip(text, key?.end ?? at);
    const item = text[colon] === ':' ? read(text, skip(text, colon + 1)) : null;
    if (!key || typeof key.value !== 'string' || !item) {
      return null;
    }
    pairs.push([key.value, item.value]);
    at = skip(text, item.end);
    if (text[at] === ',') {
      at = skip(text, at + 1);
    } else if (text[at] !== '}') {
      return null;
    }
  }
  return { value: Object.fromEntries(pairs), end: at + 1 };
}

function skip(text: string, at: number): number {
  return at + (matches(SPACE, text, at)?.length ?? 0);
}

function matches(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}
