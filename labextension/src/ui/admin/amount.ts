/** Money and storage as people type them. */

const DECIMALS = 6;
const GIB = 2 ** 30;

/** "12.50" → 12500000; null for what is not an amount in whole millionths. */
export function microOf(text: string): number | null {
  const found = /^([+-]?)(\d{1,9})(?:[.,](\d{1,6}))?$/.exec(text.trim().replace('−', '-'));
  if (!found) {
    return null;
  }
  const [, sign, whole = '', fraction = ''] = found;
  const micro = Number(whole) * 10 ** DECIMALS + Number(fraction.padEnd(DECIMALS, '0'));
  return sign === '-' ? -micro : micro;
}

/** 12500000 → "12.5": what `microOf` reads back. */
export function plain(micro: number): string {
  const digits = String(Math.abs(micro)).padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return `${micro < 0 ? '-' : ''}${digits.slice(0, -DECIMALS)}${fraction && `.${fraction}`}`;
}

/** "1.5" GiB → bytes; "" is null, which takes the default's. */
export function bytesOfGib(text: string): number | null {
  return text.trim() === '' ? null : Math.round(Number(text) * GIB);
}

/** Bytes → GiB, exact to the byte. */
export function gibOf(bytes: number): string {
  return String(bytes / GIB);
}
