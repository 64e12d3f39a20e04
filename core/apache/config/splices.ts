/** Carries out splices: only a splice ever changes bytes in a file that is not ours. */
import type { Splice } from "../model.ts";

/** Applies every splice to the bytes. Throws when splices overlap, are not sorted or reach beyond the end. */
export function applySplices(bytes: string, splices: readonly Splice[]): string {
  const pieces: string[] = [];
  let copied = 0;
  for (const { offset, remove, insert } of splices) {
    if (offset < copied || remove < 0 || offset + remove > bytes.length) {
      throw new RangeError(`splice at ${offset}: it overlaps another one or lies beyond ${bytes.length} bytes`);
    }
    pieces.push(bytes.slice(copied, offset), insert);
    copied = offset + remove;
  }
  pieces.push(bytes.slice(copied));
  return pieces.join("");
}

/**
 * Sorts splices as {@link applySplices} needs them: by offset, and at the same offset those that remove nothing come
 * first.
 */
export const sortSplices = (splices: readonly Splice[]): Splice[] =>
  [...splices].sort((a, b) => a.offset - b.offset || a.remove - b.remove);
