/** What a cell put out, shown without a kernel: text with its colours, pictures, and HTML in a sandbox. */
import { pieces } from '../job/ansi';
import { useShell } from '../shell';
import { joined, type Lines, type Output } from './document';
import { normal } from './merge';

const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/svg+xml'];
/** Characters of one text; the rest is in the notebook. */
const MOST = 200_000;

export function Outputs({ outputs }: { outputs: readonly Output[] }) {
  return (
    <div className="pk-outputs">
      {normal(outputs).map((output, at) => (
        <One key={at} output={output} />
      ))}
    </div>
  );
}

function One({ output }: { output: Output }) {
  const { words } = useShell();
  switch (output.output_type) {
    case 'stream':
      return <Text text={joined(output.text as Lines)} isError={output.name === 'stderr'} />;
    case 'error': {
      const lines = output.traceback as string[] | undefined;
      const said = `${String(output.ename)}: ${String(output.evalue)}`;
      return <Text text={lines?.length ? lines.join('\n') : said} isError />;
    }
    default: {
      const data = (output.data ?? {}) as Record<string, unknown>;
      const picture = PICTURES.find(type => type in data);
      const plain = typeof data['text/plain'] === 'string' ? data['text/plain'] : '';
      if (picture) {
        return <img className="pk-output-picture" src={pictureUrl(picture, data[picture])} alt={plain} />;
      }
      const html = data['text/html'];
      if (typeof html === 'string') {
        // Without scripts, forms, or this page's origin.
        return (
          <iframe
            className="pk-output-html"
            sandbox=""
            srcDoc={html}
            title={plain.slice(0, 200) || words.__('HTML output')}
            style={{ height: heightOf(html) }}
          />
        );
      }
      return <Text text={plain || JSON.stringify(data, null, 1)} />;
    }
  }
}

function Text({ text, isError }: { text: string; isError?: boolean }) {
  const { words } = useShell();
  // Of a progress bar the last state.
  const shown = text.slice(-MOST).replace(/^.*\r(?!\n)/gm, '');
  return (
    <pre className={isError ? 'pk-output pk-output-error' : 'pk-output'}>
      {text.length > MOST && <span className="pk-hint">{words.__('The beginning is left out.')}</span>}
      {pieces(shown).map((piece, at) => (
        <span key={at} className={piece.className || undefined}>
          {piece.text}
        </span>
      ))}
    </pre>
  );
}

/** Drawings as pictures run no scripts. */
function pictureUrl(type: string, data: unknown): string {
  const text = typeof data === 'string' ? data : '';
  return type === 'image/svg+xml'
    ? `data:${type};charset=utf-8,${encodeURIComponent(text)}`
    : `data:${type};base64,${text.replace(/\s/g, '')}`;
}

/** A sandbox cannot tell how high it is; tables are as high as their rows. */
function heightOf(html: string): string {
  const rows = html.match(/<(tr|p|li|br|h\d)\b/g)?.length ?? 0;
  return `${Math.min(Math.max(rows * 1.9 + 3, 5), 28)}em`;
}
