/** From what people write in a form to what the platform counts in; null is what cannot be read. */

const GIB = 2 ** 30;

function scaled(text: string, factor: number): number | null {
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? Math.round(value * factor) : null;
}

/** Cores → thousandths of a core. */
export const milliOf = (cores: string): number | null => scaled(cores, 1000);
/** GiB → bytes. */
export const bytesOf = (gib: string): number | null => scaled(gib, GIB);
/** A price per hour → its millionths. */
export const microOf = (price: string): number | null => scaled(price, 1e6);

/** Thousandths of a core → cores. */
export const coresText = (milli: number): string => String(milli / 1000);
/** Bytes → GiB with at most three decimals. */
export const gibText = (bytes: number): string => String(Math.round((bytes / GIB) * 1000) / 1000);
/** Millionths → a price. */
export const priceText = (micro: number): string => String(micro / 1e6);

/** Names with commas or spaces between them, each once. */
export function namesOf(text: string): string[] {
  return [...new Set(text.split(/[\s,，]+/).filter(Boolean))];
}
