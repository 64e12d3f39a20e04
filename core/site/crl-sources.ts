/** The part of a site file about CRLs that hosts download by themselves. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type CrlRefresh, type CrlSource, defaultCrlRefresh } from "../crl-refresh/refresh-model.ts";
import { findUrlMistake } from "../pki/crl-url.ts";
import { renderPath } from "./problem.ts";
import { absolutePath, checked, matching, siteRelativePath } from "./values.ts";

export const crlSources = z
  .array(
    z.strictObject({
      urls: z
        .array(checked(findUrlMistake))
        .min(1)
        .describe("Addresses of one and the same CRL (http, https, ldap, ldaps), tried in this order."),
      file: siteRelativePath
        .optional()
        .describe("CRL to begin with (PEM or DER), relative to this file, until the first download works."),
    }),
  )
  .default([])
  .describe("CRLs that each host downloads by itself, one entry for each CA. They stay current without a deployment.");

export const crlRefresh = z
  .strictObject({
    times: z
      .array(matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time from "00:00" to "23:59", in quotes, such as "06:30"'))
      .min(1)
      .max(24)
      .default([...defaultCrlRefresh.times])
      .describe("When to download, HH:MM, 1 to 24 times a day. Avoid midnight: issuers have their maintenance then."),
    timeZone: checked(findTimeZoneMistake)
      .optional()
      .describe("Time zone of times, such as Asia/Tokyo; the host's own when it is left out."),
    spreadMinutes: z
      .int()
      .min(0)
      .max(120)
      .default(defaultCrlRefresh.spreadMinutes)
      .describe("Random delay in minutes, so that not all hosts ask at once."),
    alarmHours: z
      .int()
      .min(1)
      .max(720)
      .default(defaultCrlRefresh.alarmHours)
      .describe("Warn when an installed CRL ends within this many hours."),
    proxyFile: absolutePath(
      "/etc/clientcert-proxy; the proxy's own address, which may hold a password, stands in there",
    )
      .optional()
      .describe("File on the host, root's and mode 600, with one line: the URL of the proxy for downloads."),
  })
  .optional()
  .describe("When and how the hosts download the CRLs of crlSources.");

/** A zone that the host's library does not know would silently be UTC there; `Intl` knows more: any capitals, and JST. */
function findTimeZoneMistake(text: string): string | undefined {
  const wanted = "write a name of the time zone database, such as Asia/Tokyo";
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(text)) return `it is no name of a time zone; ${wanted}`;
  if (/^[A-Z]{3}$/.test(text) && !["UTC", "GMT"].includes(text))
    return `it is an abbreviation, which hosts take for UTC; ${wanted}`;
  try {
    const known = new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
    const isMisspelt = known !== text && known.toLowerCase() === text.toLowerCase();
    return isMisspelt ? `its capitals are not those of the time zone database; write ${known}` : undefined;
  } catch (error) {
    if (error instanceof RangeError) return `there is no time zone of this name; ${wanted}`;
    throw error;
  }
}

/** The sources as plans have them: a source is another one when its addresses are. */
export const makeCrlSources = (sources: z.output<typeof crlSources>): CrlSource[] =>
  sources.map(({ urls, file }) => ({
    id: createHash("sha256").update(urls.join("\n")).digest("hex").slice(0, 8),
    urls,
    hasFile: file !== undefined,
  }));

/** Has no key with the value `undefined`: it goes into Pulumi properties. */
export const makeCrlRefresh = (refresh: z.output<typeof crlRefresh>): CrlRefresh => {
  const wanted = refresh ?? defaultCrlRefresh;
  return { ...wanted, times: [...wanted.times].sort() };
};

interface Lists {
  readonly crlFiles: readonly string[];
  readonly crlSources: z.output<typeof crlSources>;
  readonly crlRefresh?: z.output<typeof crlRefresh>;
}

/** What no single value shows. */
export function checkLists(lists: Lists, context: z.RefinementCtx): void {
  const found = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: "custom", path, message });
  const { crlSources: sources, crlRefresh: refresh } = lists;
  if (refresh !== undefined && sources.length === 0)
    found(["crlRefresh"], "there is nothing to download; give crlSources with the address of each CRL, or remove it");
  refresh?.times.forEach((time, i, times) => {
    if (times.indexOf(time) < i) found(["crlRefresh", "times", i], `${time} stands twice; remove one`);
  });
  for (const { path, first } of findRepeated(lists))
    found(path, `the same as ${first}; each source delivers one CRL and has addresses and a file of its own`);
}

interface Repeated {
  readonly path: (string | number)[];
  readonly first: string;
}

function findRepeated({ crlFiles, crlSources: sources }: Lists): Repeated[] {
  const seen = new Map(crlFiles.map((file, i) => [file, `crlFiles[${i}]`]));
  const named = sources.flatMap(({ urls, file }, i) => [
    ...urls.map((url, j) => ({ key: URL.canParse(url) ? new URL(url).href : url, path: [i, "urls", j] })),
    ...(file === undefined ? [] : [{ key: file, path: [i, "file"] }]),
  ]);
  return named.flatMap(({ key, path }) => {
    const first = seen.get(key);
    if (first !== undefined) return [{ path: ["crlSources", ...path], first }];
    seen.set(key, renderPath(["crlSources", ...path]));
    return [];
  });
}
