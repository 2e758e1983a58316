/** What a file holds, as far as a glance needs it. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import type { Transport } from '../../api/client';
import { bytes } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { delimiterOf, parseCsv } from './csv';
import {
  type Form,
  formOf,
  imageType,
  isText,
  PARQUET_BYTES,
  TABLE_BYTES,
  TABLE_ROWS,
  TEXT_BYTES,
  WHOLE_BYTES
} from './files';
import { type Cell, parseNotebook } from './notebook';
import type { ParquetTable } from './parquet';
import { ParquetView } from './ParquetView';
import { type Entry, fileAddress, type Place, useAddress } from './queries';
import { readRange } from './range';

type Content =
  | { form: 'text'; text: string; part: boolean }
  | { form: 'table'; rows: string[][]; more: boolean }
  | { form: 'image'; url: string }
  | { form: 'notebook'; cells: Cell[] }
  | { form: 'parquet'; table: ParquetTable }
  | { form: 'none'; why: 'binary' | 'large' };

const LIMITS: Record<Form, number> = {
  text: TEXT_BYTES,
  table: TABLE_BYTES,
  image: WHOLE_BYTES,
  notebook: WHOLE_BYTES,
  parquet: PARQUET_BYTES
};

/** A file's name, size, download and content. */
export function Preview({
  place,
  number,
  entry,
  onClose
}: {
  place: Place;
  number: number;
  entry: Entry;
  onClose: () => void;
}) {
  const { words, transport } = useShell();
  const address = fileAddress(useAddress(place), number, entry.path);
  const query = useQuery({
    queryKey: ['file', address],
    queryFn: ({ signal }) => read(transport, address, entry, signal),
    staleTime: Infinity
  });
  return (
    <section className="pk-preview" aria-label={entry.name}>
      <div className="pk-version-head">
        <strong className="pk-name" title={entry.path}>
          {entry.name}
        </strong>
        <span className="pk-quiet">{bytes(entry.bytes)}</span>
        <a className="pk-link" href={address} download={entry.name}>
          {words.__('Download')}
        </a>
        <button type="button" className="pk-button" aria-label={words.__('Close the preview')} onClick={onClose}>
          ✕
        </button>
      </div>
      <Loaded query={query} lines={6}>
        {content => <Shown content={content} entry={entry} />}
      </Loaded>
    </section>
  );
}

async function read(transport: Transport, address: string, entry: Entry, signal: AbortSignal): Promise<Content> {
  const form = formOf(entry.name);
  const limit = LIMITS[form];
  if ((form === 'image' || form === 'notebook') && entry.bytes > limit) {
    return { form: 'none', why: 'large' };
  }
  if (form === 'parquet') {
    const { readParquet } = await import('./parquet');
    const slice = (start: number, end = entry.bytes): Promise<ArrayBuffer> =>
      start >= end ? Promise.resolve(new ArrayBuffer(0)) : readRange(transport, address, start, end, signal);
    return { form, table: await readParquet({ byteLength: entry.bytes, slice }, TABLE_ROWS, limit) };
  }
  let data = new ArrayBuffer(0);
  if (entry.bytes > 0) {
    // An empty file has no range.
    data = await readRange(transport, address, 0, limit, signal);
  }
  const type = imageType(entry.name);
  if (form === 'image' && type) {
    return { form, url: await dataUrl(new Blob([data], { type })) };
  }
  if (!isText(new Uint8Array(data))) {
    return { form: 'none', why: 'binary' };
  }
  // As a stream: a letter that is cut off at the end is left out, not spoilt.
  const text = new TextDecoder().decode(data, { stream: true });
  const part = entry.bytes > data.byteLength;
  if (form === 'table') {
    return { form, ...parseCsv(text, delimiterOf(entry.name, text), TABLE_ROWS + 1, !part) };
  }
  const cells = form === 'notebook' ? parseNotebook(text) : null;
  return cells ? { form: 'notebook', cells } : { form: 'text', text: text.slice(0, TEXT_BYTES), part };
}

/** The portal's policy lets pictures in from itself and from texts, not from what a script has made up. */
async function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error(blob.type));
    reader.readAsDataURL(blob);
  });
}

function Shown({ content, entry }: { content: Content; entry: Entry }) {
  const { words } = useShell();
  switch (content.form) {
    case 'text':
      return (
        <>
          <pre className="pk-text" tabIndex={0} aria-label={words.__('Content of %1', entry.name)}>
            {content.text}
          </pre>
          {content.part && (
            <p className="pk-quiet">
              {words.__('The first %1 of %2. Download the file for the rest.', bytes(TEXT_BYTES), bytes(entry.bytes))}
            </p>
          )}
        </>
      );
    case 'table':
      return <Rows rows={content.rows} more={content.more} entry={entry} />;
    case 'image':
      return <Picture url={content.url} name={entry.name} />;
    case 'notebook':
      return <Cells cells={content.cells} />;
    case 'parquet':
      return <ParquetView table={content.table} name={entry.name} />;
    case 'none':
      return (
        <p className="pk-quiet">
          {content.why === 'large'
            ? words.__('Files of this kind are shown up to %1. Download it to see it.', bytes(WHOLE_BYTES))
            : words.__('This file is not text. Download it to see it.')}
        </p>
      );
  }
}

function Rows({ rows, more, entry }: { rows: string[][]; more: boolean; entry: Entry }) {
  const { words } = useShell();
  const [head = [], ...body] = rows;
  return (
    <>
      <div className="pk-scroll" tabIndex={0} role="region" aria-label={words.__('Content of %1', entry.name)}>
        <table className="pk-asset-table pk-data">
          <thead>
            <tr>
              {head.map((title, at) => (
                <th key={at} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {body.map((row, at) => (
              <tr key={at}>
                {row.map((value, column) => (
                  <td key={column}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="pk-quiet">
        {more
          ? words._n('The first %1 row.', 'The first %1 rows.', body.length, body.length)
          : words._n('%1 row.', '%1 rows.', body.length, body.length)}
      </p>
    </>
  );
}

function Picture({ url, name }: { url: string; name: string }) {
  const [size, setSize] = useState('');
  return (
    <figure className="pk-picture">
      <img
        src={url}
        alt={name}
        onLoad={event => setSize(`${event.currentTarget.naturalWidth} × ${event.currentTarget.naturalHeight} px`)}
      />
      <figcaption className="pk-quiet">{size}</figcaption>
    </figure>
  );
}

function Cells({ cells }: { cells: Cell[] }) {
  const { words } = useShell();
  return (
    <div className="pk-scroll" tabIndex={0} role="region" aria-label={words.__('Cells')}>
      {cells.map((cell, at) => (
        <div key={at} className={`pk-cell pk-cell-${cell.type}`}>
          <pre>{cell.source}</pre>
          {cell.outputs.map((output, place) => (
            <pre key={place} className="pk-output">
              {output}
            </pre>
          ))}
        </div>
      ))}
    </div>
  );
}
