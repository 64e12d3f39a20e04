/** A change of a copy of a host's files: shown as a unified diff, or carried out. */
import { createTwoFilesPatch } from "diff";
import { applySplices } from "../core/apache/edit.ts";
import type { Change, Facts } from "../core/apache/model.ts";
import { pathOf } from "../provider/apache/files.ts";
import type { Tree } from "./tree.ts";

/** Bytes as latin1, undefined where there is no file. */
interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The texts; CA and CRL files are left out, because nobody reads base64. Bytes as latin1. */
export function renderDiff(tree: Tree, facts: Facts, change: Change): string {
  const written = change.write.flatMap(({ name, text }): FileChange[] => {
    const path = pathOf(facts, name);
    if (text === undefined) return [];
    return [{ path, before: tree.read(path)?.bytes, after: Buffer.from(text, "utf8").toString("latin1") }];
  });
  return [...written, ...editsOf(tree, change)].map(renderFile).join("");
}

function editsOf(tree: Tree, { edits }: Change): FileChange[] {
  return edits.map(({ path, sha256, splices }) => {
    const file = tree.read(path);
    if (file?.sha256 !== sha256) throw new Error(`${path}: changed while it was looked at; run again`);
    return { path, before: file.bytes, after: applySplices(file.bytes, splices) };
  });
}

function renderFile({ path, before, after }: FileChange): string {
  const name = (side: string, bytes: string | undefined): string =>
    bytes === undefined ? "/dev/null" : `${side}${path}`;
  const patch = createTwoFilesPatch(name("a", before), name("b", after), before ?? "", after ?? "");
  // The library begins with a ruler.
  return patch.replace(/^=+\n/, "");
}

/** In the order of the swap on a real host. `contents`: bytes of the files of ours, by name. */
export function writeChange(tree: Tree, facts: Facts, change: Change, contents: ReadonlyMap<string, Buffer>): void {
  const edited = editsOf(tree, change);
  for (const [name, bytes] of contents) tree.write(pathOf(facts, name), bytes);
  for (const { path, after = "" } of edited) tree.write(path, Buffer.from(after, "latin1"));
  for (const name of change.drop) tree.remove(pathOf(facts, name));
}
