/** A Parquet file: how many rows of which columns, and the first of them. */
import { bytes } from '../format';
import { Section } from '../parts';
import { useShell } from '../shell';
import type { ParquetTable } from './parquet';

/** The file's schema and its first rows; wide tables scroll. */
export function ParquetView({ table, name }: { table: ParquetTable; name: string }) {
  const { words, language } = useShell();
  const { columns, names, rows, total, groups, writer } = table;
  const count = (value: number): string => value.toLocaleString(language);
  const left = columns.length - names.length;
  const kinds = names.map(title => columns.find(column => column.name === title)?.type ?? '');
  const alignment = kinds.map(kind => (/^(u?int|float|decimal)/.test(kind) ? 'pk-amount' : undefined));
  return (
    <>
      <p className="pk-quiet pk-numbers" title={writer || undefined}>
        {words._n('%1 row', '%1 rows', total, count(total))}
        {' · '}
        {words._n('%1 column', '%1 columns', columns.length, count(columns.length))}
        {' · '}
        {words._n('%1 row group', '%1 row groups', groups, count(groups))}
      </p>
      {rows.length > 0 && (
        <div className="pk-scroll" tabIndex={0} role="region" aria-label={words.__('Content of %1', name)}>
          <table className="pk-asset-table pk-data">
            <thead>
              <tr>
                {names.map((title, at) => (
                  <th key={title} scope="col" className={alignment[at]}>
                    {title}
                    <span className="pk-column-type">{kinds[at]}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, at) => (
                <tr key={at}>
                  {row.map((value, column) => (
                    <td key={column} className={alignment[column]} title={value.length > 30 ? value : undefined}>
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length < total && rows.length > 0 && (
        <p className="pk-quiet">{words._n('The first %1 row.', 'The first %1 rows.', rows.length, rows.length)}</p>
      )}
      {left > 0 && (
        <p className="pk-quiet">
          {words._n(
            '%1 column is too large for a glance and left out.',
            '%1 columns are too large for a glance and left out.',
            left,
            left
          )}
        </p>
      )}
      <Section name="parquet-schema" title={words.__('Schema')} count={`${columns.length}`}>
        <div className="pk-scroll pk-schema" tabIndex={0} role="region" aria-label={words.__('Schema')}>
          <table className="pk-asset-table pk-data">
            <thead>
              <tr>
                <th scope="col">{words.__('Column')}</th>
                <th scope="col">{words.__('Type')}</th>
                <th scope="col">{words.__('May be missing')}</th>
                <th scope="col" className="pk-amount">
                  {words.__('First group')}
                </th>
              </tr>
            </thead>
            <tbody>
              {columns.map((column, at) => (
                <tr key={at}>
                  <td>{column.name}</td>
                  <td>{column.type}</td>
                  <td>{column.optional ? words.__('yes') : words.__('no')}</td>
                  <td className="pk-amount">{bytes(column.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
    </>
  );
}
