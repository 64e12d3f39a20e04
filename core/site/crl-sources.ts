/** The part of a site file about CRLs that hosts download by themselves. */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { type CrlRefresh, type CrlSource, defaultCrlRefresh } from "../crl-refresh/inputs.ts";
import { renderPath } from "./problem.ts";
import type { SiteClientAuth } from "./schema.ts";

/** The source from which hosts download one CRL, as a site file or a program gives them. */
export type SiteCrlSource = SiteClientAuth["crlSources"][number];

/**
 * Makes the ids of the sources. The id comes from the addresses, so a source with other addresses is another source.
 */
export const makeCrlSources = (sources: readonly SiteCrlSource[]): readonly CrlSource[] =>
  sources.map((source) => ({
    id: createHash("sha256").update(source.urls.join("\n")).digest("hex").slice(0, 8),
    ...source,
  }));

/**
 * Fills in the defaults, and sorts the times. The result has no key with the value `undefined`, because it goes into
 * Pulumi properties.
 */
export const makeCrlRefresh = (refresh: Partial<CrlRefresh> = {}): CrlRefresh => {
  const wanted = { ...defaultCrlRefresh, ...refresh };
  return { ...wanted, times: [...wanted.times].sort() };
};

type Lists = Pick<SiteClientAuth, "crlFiles" | "crlSources" | "crlRefresh">;

/** Reports values that contradict or repeat each other. Each value on its own has been checked by the schema. */
export function checkLists(lists: Lists, context: z.RefinementCtx): void {
  const report = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: "custom", path, message });
  const { crlSources: sources, crlRefresh: refresh } = lists;
  if (refresh !== undefined && sources.length === 0)
    report(["crlRefresh"], "there is nothing to download; give crlSources with the address of each CRL, or remove it");
  refresh?.times.forEach((time, i, times) => {
    if (times.indexOf(time) < i) report(["crlRefresh", "times", i], `${time} stands twice; remove one`);
  });
  for (const { path, first } of findRepeated(lists))
    report(path, `the same as ${first}; each source delivers one CRL and has addresses and a file of its own`);
}

interface Repeated {
  /** The place of the repetition. */
  readonly path: (string | number)[];
  /** The place where the same file or address stands first, as text. */
  readonly first: string;
}

/**
 * Finds files and addresses of sources that stood before, in another source, in the same one or in `crlFiles`.
 * Repetitions inside `crlFiles` are not found here. Two spellings of one URL count as the same.
 */
function findRepeated({ crlFiles, crlSources: sources }: Lists): Repeated[] {
  const seen = new Map(crlFiles.map((file, i) => [file, `crlFiles[${i}]`]));
  const filesAndUrls = sources.flatMap(({ urls, file }, i) => [
    ...urls.map((url, j) => ({ key: URL.canParse(url) ? new URL(url).href : url, path: [i, "urls", j] })),
    ...(file === undefined ? [] : [{ key: file, path: [i, "file"] }]),
  ]);
  return filesAndUrls.flatMap(({ key, path }) => {
    const first = seen.get(key);
    if (first !== undefined) return [{ path: ["crlSources", ...path], first }];
    seen.set(key, renderPath(["crlSources", ...path]));
    return [];
  });
}
