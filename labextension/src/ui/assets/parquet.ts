/** The first rows of a Parquet file, read by ranges: its end says where what is, then only those columns' bytes. */
import {
  type AsyncBuffer,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema
} from 'hyparquet';
import { gunzip } from 'hyparquet-compressors/src/gzip.js';
import { decompressLz4, decompressLz4Raw } from 'hyparquet-compressors/src/lz4.js';
import { decompress } from 'fzstd';

import { type Column, fitting, shown, typeName } from './columns';

export interface ParquetTable {
  columns: Column[];
  /** Names of the columns in `rows`: those whose bytes are not too many for a glance. */
  names: string[];
  rows: string[][];
  total: number;
  groups: number;
  writer: string;
}

// Of the package's own collection, which would load WebAssembly for one that hyparquet has itself.
const COMPRESSORS: Compressors = {
  GZIP: (input, length) => gunzip(input, new Uint8Array(length)),
  ZSTD: input => decompress(input),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw
};

/** Reads what is shown of a file; `limit` rows at most, columns of `budget` bytes at most. */
export async function readParquet(file: AsyncBuffer, limit: number, budget: number): Promise<ParquetTable> {
  const metadata = await parquetMetadataAsync(file);
  const columns = columnsOf(metadata);
  const names = fitting(columns, budget);
  const total = Number(metadata.num_rows);
  const rowEnd = Math.min(limit, total, Number(metadata.row_groups[0]?.num_rows ?? 0));
  const options = {
    file,
    metadata,
    columns: names,
    rowStart: 0,
    rowEnd,
    compressors: COMPRESSORS,
    useOffsetIndex: true
  };
  const objects = rowEnd > 0 && names.length > 0 ? await parquetReadObjects(options) : [];
  return {
    columns,
    names,
    rows: objects.map(row => names.map(name => shown(row[name]))),
    total,
    groups: metadata.row_groups.length,
    writer: metadata.created_by ?? ''
  };
}

/** The columns at the top of the schema, with what they take in the first group of rows. */
function columnsOf(metadata: FileMetaData): Column[] {
  const sizes = new Map<string, number>();
  for (const { meta_data: chunk } of metadata.row_groups[0]?.columns ?? []) {
    const name = chunk?.path_in_schema[0];
    if (chunk && name !== undefined) {
      sizes.set(name, (sizes.get(name) ?? 0) + Number(chunk.total_compressed_size));
    }
  }
  return parquetSchema(metadata).children.map(({ element }) => ({
    name: element.name,
    type: typeName(element),
    optional: element.repetition_type !== 'REQUIRED',
    bytes: sizes.get(element.name) ?? 0
  }));
}
