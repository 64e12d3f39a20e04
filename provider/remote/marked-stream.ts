/** One of the host's two output streams, split at the line with which our own output begins. */
export interface MarkedStream {
  /** Takes what has arrived, and returns the part of it that stands after the line. */
  take(chunk: Buffer): Buffer;
  isStarted(): boolean;
  /** What came before the line: banners and messages of the login. Only the last bytes when it is long. */
  before(): string;
}

/** How much is kept of what comes before the line. */
const longestNoiseBytes = 64 * 1024;

/**
 * Splits a stream at the first `line`, which includes its line end. The line itself belongs to neither part. It is also
 * found where it arrives in pieces.
 */
export function splitAtLine(line: string): MarkedStream {
  let isStarted = false;
  let before = Buffer.alloc(0);
  return {
    take(chunk) {
      if (isStarted) return chunk;
      before = Buffer.concat([before, chunk]);
      const lineStart = before.indexOf(line);
      isStarted = lineStart >= 0;
      const ours = isStarted ? before.subarray(lineStart + line.length) : Buffer.alloc(0);
      before = Buffer.from(isStarted ? before.subarray(0, lineStart) : before.subarray(-longestNoiseBytes));
      return ours;
    },
    isStarted: () => isStarted,
    before: () => before.toString("utf8"),
  };
}
