/** Returns a new random key. `crypto.randomUUID` would do, but is not there on a Hub without TLS. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}
