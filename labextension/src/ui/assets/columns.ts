/** Columns and values of a Parquet file as people read them. */

export interface Column {
  name: string;
  type: string;
  /** Whether values may be missing. */
  optional: boolean;
  /** Compressed bytes in the first group of rows. */
  bytes: number;
}

/** What a schema says of a column, as far as its name needs it. */
export interface Described {
  type?: string;
  converted_type?: string;
  repetition_type?: string;
  num_children?: number;
  precision?: number;
  scale?: number;
  logical_type?: { type: string; unit?: string; bitWidth?: number; isSigned?: boolean };
}

const CELL = 200;

/** Returns the names of the columns that fit into `budget` bytes, in the file's order, the first ones first. */
export function fitting(columns: Column[], budget: number): string[] {
  let left = budget;
  return columns
    .filter(({ bytes }) => {
      const fits = bytes <= left;
      left -= fits ? bytes : 0;
      return fits;
    })
    .map(({ name }) => name);
}

/** Returns a type in a word: what the value means before how it is stored. */
export function typeName(element: Described): string {
  const { logical_type: logical, converted_type: converted, type, num_children: children } = element;
  if (element.repetition_type === 'REPEATED' || logical?.type === 'LIST' || converted === 'LIST') {
    return 'list';
  }
  if (logical?.type === 'MAP' || converted === 'MAP') {
    return 'map';
  }
  if (children !== undefined && children > 0) {
    return 'struct';
  }
  if (logical) {
    return logicalName(element, logical);
  }
  if (converted === 'UTF8') {
    return 'string';
  }
  if (converted !== undefined) {
    return converted.toLowerCase().replace('_', '');
  }
  const names: Record<string, string> = {
    DOUBLE: 'float64',
    FLOAT: 'float32',
    BYTE_ARRAY: 'bytes',
    INT96: 'timestamp (ns)'
  };
  return names[type ?? ''] ?? (type ?? '').toLowerCase();
}

const UNITS: Record<string, string> = { MILLIS: 'ms', MICROS: 'µs', NANOS: 'ns' };

function logicalName(
  element: Described,
  { type, unit, bitWidth, isSigned }: NonNullable<Described['logical_type']>
): string {
  switch (type) {
    case 'INTEGER':
      return `${isSigned === false ? 'u' : ''}int${bitWidth ?? ''}`;
    case 'DECIMAL':
      return `decimal(${element.precision ?? 0}, ${element.scale ?? 0})`;
    case 'TIMESTAMP':
    case 'TIME':
      return `${type.toLowerCase()} (${UNITS[unit ?? ''] ?? ''})`;
    default:
      return type.toLowerCase();
  }
}

/** Returns a value as a cell shows it; nothing for one that is missing. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime())
      ? ''
      : value
          .toISOString()
          .replace(/T00:00:00\.000Z$|\.000Z$|Z$/, '')
          .replace('T', ' ');
  }
  const text = typeof value === 'object' ? JSON.stringify(value, plain) : `${value as string | number}`;
  return text.length > CELL ? `${text.slice(0, CELL)}…` : text;
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  return ArrayBuffer.isView(value) ? `${value.byteLength} B` : value;
}
