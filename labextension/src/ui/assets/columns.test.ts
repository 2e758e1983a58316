import { type Column, fitting, shown, typeName } from './columns';

test('columns are read as long as their bytes are few', () => {
  const column = (name: string, bytes: number): Column => ({ name, type: '', optional: true, bytes });
  const columns = [column('a', 4), column('image', 100), column('b', 5), column('c', 2)];
  expect(fitting(columns, 10)).toEqual(['a', 'b']);
  expect(fitting(columns, 1000)).toHaveLength(4);
});

test.each([
  [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' }, 'string'],
  [{ type: 'BYTE_ARRAY', logical_type: { type: 'STRING' } }, 'string'],
  [{ type: 'DOUBLE' }, 'float64'],
  [{ type: 'INT64' }, 'int64'],
  [{ type: 'INT32', converted_type: 'UINT_8' }, 'uint8'],
  [{ type: 'INT32', logical_type: { type: 'INTEGER', bitWidth: 16, isSigned: false } }, 'uint16'],
  [{ type: 'INT64', logical_type: { type: 'TIMESTAMP', unit: 'MICROS' } }, 'timestamp (µs)'],
  [{ type: 'INT32', logical_type: { type: 'DECIMAL' }, precision: 9, scale: 2 }, 'decimal(9, 2)'],
  [{ num_children: 1, logical_type: { type: 'LIST' } }, 'list'],
  [{ num_children: 2 }, 'struct']
])('%j is a %s', (element, name) => {
  expect(typeName(element)).toBe(name);
});

test.each([
  [null, ''],
  [12345678901234567890n, '12345678901234567890'],
  [0.5, '0.5'],
  [new Date('2024-02-29T00:00:00Z'), '2024-02-29'],
  [new Date('2024-02-29T10:20:30Z'), '2024-02-29 10:20:30'],
  [{ a: [1n, null], b: new Uint8Array(7) }, '{"a":[1,null],"b":"7 B"}'],
  ['x'.repeat(300), `${'x'.repeat(200)}…`]
])('a cell shows %p', (value, text) => {
  expect(shown(value)).toBe(text);
});
