/** Puts text on the clipboard, also where the browser's own clipboard is not there: on a Hub without TLS. */
export async function copyText(text: string): Promise<void> {
  // The types say that it is always there.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) {
    await clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a secure context
  document.execCommand('copy');
  area.remove();
}
