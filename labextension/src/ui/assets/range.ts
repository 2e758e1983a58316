/** A part of a file of a version. */
import { problemOf, type Transport } from '../../api/client';

/** Reads the bytes [start, end) as far as there are any; a file must not be empty, for it has no range. */
export async function readRange(
  transport: Transport,
  address: string,
  start: number,
  end: number,
  signal?: AbortSignal
): Promise<ArrayBuffer> {
  const headers = { Range: `bytes=${start}-${end - 1}` };
  const response = await transport(new Request(address, { headers, signal }));
  if (!response.ok) {
    throw await problemOf(response);
  }
  return response.arrayBuffer();
}
