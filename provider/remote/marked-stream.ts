/** One of the host's two output streams, split at the line with which ours begins. */
export interface MarkedStream {
  /** Takes what arrived; returns what of it stands behind the line. */
  take(chunk: Buffer): Buffer;
  isStarted(): boolean;
  /** What came before it: banners, messages of the login; its last bytes when it is long. */
  before(): string;
}

const longestNoiseBytes = 64 * 1024;

/** `line` with its line end. */
export function splitAtLine(line: string): MarkedStream {
  let isStarted = false;
  let before = Buffer.alloc(0);
  return {
    take(chunk) {
      if (isStarted) return chunk;
      before = Buffer.concat([before, chunk]);
      const at = before.indexOf(line);
      isStarted = at >= 0;
      const ours = isStarted ? before.subarray(at + line.length) : Buffer.alloc(0);
      before = Buffer.from(isStarted ? before.subarray(0, at) : before.subarray(-longestNoiseBytes));
      return ours;
    },
    isStarted: () => isStarted,
    before: () => before.toString("utf8"),
  };
}
