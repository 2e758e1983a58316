/** The shell's words outside JupyterLab, from the same catalogue. */
import type { Words } from '../ui/shell';

type Messages = Partial<Record<string, string[]>>;

/** Puts values in place of `%1`, `%2` …, and `%%` for a percent sign, as JupyterLab does. */
export function filled(text: string, values: readonly (string | number)[]): string {
  return text.replace(/%%|%(\d+)/g, (whole, place?: string) =>
    place === undefined ? '%' : String(values[Number(place) - 1] ?? whole)
  );
}

/** `messages` gives each English text its translations: one, for Chinese has one form for every number. */
export function wordsOf(messages: Messages): Words {
  return {
    __: (text, ...values) => filled(messages[text]?.[0] ?? text, values),
    _n: (one, many, n, ...values) => filled(messages[one]?.[0] ?? (n === 1 ? one : many), [n, ...values])
  };
}

/** Loads the words of `language`; what they are written in needs none. */
export async function loadWords(language: string, assets: string): Promise<Words> {
  if (language.startsWith('en')) {
    return wordsOf({});
  }
  const response = await fetch(`${assets}${language}.json`);
  return wordsOf(response.ok ? ((await response.json()) as Messages) : {});
}
