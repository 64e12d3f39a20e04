/** Carries out splices: the only way in which bytes of others ever change. */
import type { Splice } from "../model.ts";

/** The bytes with every splice made; throws when they overlap, are unsorted or reach beyond the end. */
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

/** Sorted as {@link applySplices} wants them: by place, and at one place what removes nothing first. */
export const sortSplices = (splices: readonly Splice[]): Splice[] =>
  [...splices].sort((a, b) => a.offset - b.offset || a.remove - b.remove);
