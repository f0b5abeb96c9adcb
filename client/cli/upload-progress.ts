const MIB = 1024 * 1024;
const SHOWN_EVERY_MS = 200;

/** Tells a person how far an upload has come. @param show replaces the line that it has shown before */
export function uploadProgress(show: ((text: string) => void) | undefined, size: number | undefined) {
  if (show === undefined) return { sent: () => {}, done: () => {} };
  let shownAt = 0;
  return {
    sent: (bytes: number) => {
      const now = Date.now();
      if (now - shownAt < SHOWN_EVERY_MS) return;
      shownAt = now;
      const share = size === undefined || size === 0 ? '' : `, ${Math.floor((100 * bytes) / size)} %`;
      show(`${(bytes / MIB).toFixed(1)} MiB sent${share}`);
    },
    done: () => show(''),
  };
}
