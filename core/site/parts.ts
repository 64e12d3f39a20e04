/**
 * Reads the parts of `clientAuth` that are right although something else is wrong, so that each part is checked in
 * spite of mistakes elsewhere.
 */
import { maxVerifyDepth } from "../pki/summary.ts";
import { type Mistake, findNearest, valueAt } from "./issues.ts";
import type { Path } from "./problem.ts";
import { type SiteClientAuth, siteSchema } from "./schema.ts";

export interface ClientAuthPart {
  /**
   * The values, with "" in the place of a text that is wrong, so that the other items of an array keep their indexes.
   * Undefined where `clientAuth` is not a set of keys.
   */
  readonly clientAuth: SiteClientAuth | undefined;
  /**
   * Keys whose value is not, or not completely, what the author wants to say. This includes keys that a misspelt key
   * may have meant.
   */
  readonly undetermined: ReadonlySet<string>;
}

/** Reads what is right in `clientAuth`. `mistakes` are those of the whole document. */
export function readClientAuth(document: unknown, mistakes: readonly Mistake[]): ClientAuthPart {
  const { shape } = siteSchema.shape.clientAuth;
  const keys = Object.keys(shape);
  const value = valueAt(document, ["clientAuth"]);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { clientAuth: undefined, undetermined: new Set(keys) };
  // Whether there is a mistake at this path or below it.
  const isWrong = (path: Path): boolean =>
    mistakes.some((mistake) => ["clientAuth", ...path].every((key, i) => mistake.path[i] === key));
  const perhapsMeant = Object.keys(value).flatMap((key) => (keys.includes(key) ? [] : (findNearest(key, keys) ?? [])));
  const undetermined = new Set([...keys.filter((key) => isWrong([key])), ...perhapsMeant]);
  const valueIfRight = (key: string): unknown => (isWrong([key]) ? undefined : valueAt(value, [key]));
  const text = (path: Path): string => {
    const item = valueAt(value, path);
    return typeof item === "string" && !isWrong(path) ? item : "";
  };
  const list = <T>(path: Path, read: (path: Path) => T): T[] => {
    const items = valueAt(value, path);
    return Array.isArray(items) ? items.map((_, i) => read([...path, i])) : [];
  };
  const clientAuth: SiteClientAuth = {
    ...optionalKeys(valueIfRight),
    caFiles: list(["caFiles"], text),
    crlFiles: list(["crlFiles"], text),
    crlSources: list(["crlSources"], (path) => ({
      urls: list([...path, "urls"], text),
      ...(valueAt(value, [...path, "file"]) === undefined ? {} : { file: text([...path, "file"]) }),
    })),
    organizations: list(["organizations"], text),
    organizationalUnits: list(["organizationalUnits"], text),
    countries: list(["countries"], text),
    issuers: list(["issuers"], text),
    // Nothing is too deep for a depth that is not known.
    verifyDepth: undetermined.has("verifyDepth")
      ? maxVerifyDepth
      : shape.verifyDepth.parse(valueIfRight("verifyDepth")),
  };
  return { clientAuth, undetermined };
}

/**
 * Reads the keys whose value is taken as a whole. `valueIfRight` returns undefined for a wrong value, which then counts
 * as missing.
 */
function optionalKeys(valueIfRight: (key: string) => unknown) {
  const { acceptOlderCrls, crlCheck, crlRefresh, sampleCertificate } = siteSchema.shape.clientAuth.shape;
  const sample = sampleCertificate.parse(valueIfRight("sampleCertificate"));
  return {
    acceptOlderCrls: acceptOlderCrls.parse(valueIfRight("acceptOlderCrls")),
    crlCheck: crlCheck.parse(valueIfRight("crlCheck")),
    crlRefresh: crlRefresh.parse(valueIfRight("crlRefresh")),
    ...(sample !== undefined && { sampleCertificate: sample }),
  };
}
