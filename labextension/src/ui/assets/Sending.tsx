/** An upload on its way. */
import { useId, useSyncExternalStore } from 'react';

import { Problem } from '../../api/client';
import { FolderUpload } from '../../api/upload/folderUpload';
import { FileTrouble, type Progress, type Upload } from '../../api/upload/upload';
import { bytes, duration } from '../format';
import { useShell, type Words } from '../shell';

/** How far an upload is, how fast, how long yet; and its pause, its end. */
export function Sending({ upload }: { upload: Upload }) {
  const { words, confirm } = useShell();
  const state = useSyncExternalStore(upload.subscribe, upload.snapshot);
  const title = useId();
  const { phase } = state;
  const cancel = async (): Promise<void> => {
    const lost = words.__('What was sent so far is not kept.');
    if (phase === 'failed' || (await confirm(words.__('Give up this upload?'), lost, words.__('Give up')))) {
      await upload.cancel();
    }
  };
  return (
    <section className="pk-asset-form" aria-labelledby={title}>
      <p id={title} className="pk-staged">
        {phaseText(state, words)}
      </p>
      <progress
        className="pk-progress"
        aria-labelledby={title}
        max={Math.max(state.total, 1)}
        value={phase === 'verifying' ? undefined : state.done}
      />
      <p className="pk-quiet pk-numbers">{facts(state, words)}</p>
      {state.error && (
        <p className="pk-refusal" role="alert">
          {errorText(state.error, words)}
          {upload.pausable && ` ${words.__('What was sent is kept: going on sends the rest.')}`}
        </p>
      )}
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={() => void cancel()}>
          {words.__('Give up')}
        </button>
        {upload instanceof FolderUpload && phase === 'sending' && (
          <button type="button" className="pk-button" onClick={() => upload.pause()}>
            {words.__('Pause')}
          </button>
        )}
        {(phase === 'paused' || phase === 'failed') && (
          <button type="button" className="pk-button pk-primary" onClick={() => upload.start()}>
            {phase === 'paused' ? words.__('Go on') : words.__('Try again')}
          </button>
        )}
      </div>
    </section>
  );
}

function phaseText({ phase }: Progress, words: Words): string {
  return {
    sending: words.__('Sending the new version'),
    paused: words.__('Paused'),
    verifying: words.__('The platform verifies what was sent'),
    done: words.__('The new version is ready'),
    failed: words.__('The upload has stopped'),
    cancelled: words.__('Given up')
  }[phase];
}

function facts(
  { done, total, sent, files, totalFiles, perSecond, secondsLeft, phase }: Progress,
  words: Words
): string {
  const parts = [words.__('%1 of %2', bytes(done), bytes(total))];
  if (totalFiles > 1) {
    parts.push(words.__('%1 of %2 files read', files, totalFiles));
  }
  if (phase === 'sending' && perSecond > 0) {
    parts.push(`${bytes(perSecond)}/s`);
    if (secondsLeft !== null) {
      parts.push(words.__('%1 left', duration(Math.ceil(secondsLeft))));
    }
  }
  if (phase === 'verifying' && sent < done) {
    parts.push(words.__('only %1 had to be sent', bytes(sent)));
  }
  return parts.join(' · ');
}

function errorText(error: Error, words: Words): string {
  if (error instanceof FileTrouble) {
    return words.__('%1 cannot be read, or has changed since it was chosen. Choose the files again.', error.path);
  }
  return error instanceof Problem && error.status === 0 ? words.__('The platform does not answer.') : error.message;
}
