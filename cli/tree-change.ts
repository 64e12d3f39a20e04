/** Shows a change of a copy of a host's files as a unified diff, or carries it out. */
import { createTwoFilesPatch } from "diff";
import { applySplices } from "../core/apache/config/splices.ts";
import type { Change, Facts, Splice } from "../core/apache/model.ts";
import { hostBytes } from "../core/host-text.ts";
import { pathOf } from "../provider/apache/files.ts";
import { mostEdits } from "../provider/resource/shown-files.ts";
import type { Tree } from "./tree.ts";
import { diffOfSplices, withHead } from "./unified-diff.ts";

/**
 * The unified diff of the changed texts, with bytes as latin1. CA and CRL files are left out, because nobody reads
 * base64. Throws an error where a file to edit has changed since the plan.
 */
export function renderDiff(tree: Tree, facts: Facts, change: Change): string {
  const written = change.write.map(({ name, text }) => {
    const path = pathOf(facts, name);
    return text === undefined ? "" : renderOwn(path, tree.read(path)?.bytes, hostBytes(text));
  });
  const edited = requireUnchanged(tree, change).map(({ path, bytes, splices }) =>
    diffOfSplices({ before: `a${path}`, after: `b${path}` }, bytes, splices),
  );
  return [...written, ...edited].join("");
}

/** The diff of one of our files, which a change always writes as a whole. `before` is undefined where it is new. */
function renderOwn(path: string, before: string | undefined, after: string): string {
  const names = { before: before === undefined ? "/dev/null" : `a${path}`, after: `b${path}` };
  const options = { maxEditLength: mostEdits };
  const patch = createTwoFilesPatch(names.before, names.after, before ?? "", after, undefined, undefined, options);
  // Without a patch, there are more than `mostEdits` edits. The file is then shown as replaced as a whole.
  const whole = [{ offset: 0, remove: before?.length ?? 0, insert: after }];
  return patch === undefined ? diffOfSplices(names, before ?? "", whole) : withHead(patch, names);
}

interface Edited {
  readonly path: string;
  /** The bytes of the file before the change. */
  readonly bytes: string;
  readonly splices: readonly Splice[];
}

/** The files to edit, as they are now. Throws an error where a file is not the one that the change was planned for. */
function requireUnchanged(tree: Tree, { edits }: Change): Edited[] {
  return edits.map(({ path, sha256, splices }) => {
    const file = tree.read(path);
    if (file?.sha256 !== sha256) throw new Error(`${path}: changed while it was looked at; run again`);
    return { path, bytes: file.bytes, splices };
  });
}

/**
 * Writes the files in the order in which the real host swaps them in, and removes those that go. `contents` holds the
 * bytes of our files, by name. Throws an error before it writes where a file to edit has changed since the plan.
 */
export function writeChange(tree: Tree, facts: Facts, change: Change, contents: ReadonlyMap<string, Buffer>): void {
  const edited = requireUnchanged(tree, change);
  for (const [name, bytes] of contents) tree.write(pathOf(facts, name), bytes);
  for (const { path, bytes, splices } of edited) tree.write(path, Buffer.from(applySplices(bytes, splices), "latin1"));
  for (const name of change.drop) tree.remove(pathOf(facts, name));
}
