/** Reads the site file `stacks/<site>.yaml`: the result is a checked {@link Site}, or all problems of the file. */
import { findDoubledBackslashes } from "./backslashes.ts";
import { findSuspects } from "./characters.ts";
import { type Mistake, describeIssue, valueAt, yamlTypeWords } from "./issues.ts";
import { type ClientAuthPart, readClientAuth } from "./parts.ts";
import { findCaPlaceholders, findHostPlaceholders } from "./placeholders.ts";
import { type Path, type Problem, renderPath } from "./problem.ts";
import { type NumberedHost, findSameServers } from "./same-server.ts";
import { type Site, type SiteClientAuth, makeJsonSchema, siteSchema } from "./schema.ts";
import { decodeText } from "./text.ts";
import { findSecretUrls } from "./secret-urls.ts";
import { findEverybody, findLoneCompanyForms } from "./who-gets-in.ts";
import { type Document, readYaml } from "./yaml.ts";

export interface ReadSite {
  /** Undefined when there is any problem. */
  readonly site: Site | undefined;
  /**
   * The values, with "" in the place of a wrong one: the files that it names can be checked even if something else is
   * wrong.
   */
  readonly clientAuth: SiteClientAuth | undefined;
  /** Keys of `clientAuth` whose value is not, or not completely, what the author wants to say. */
  readonly undetermined: ReadonlySet<string>;
  /** The problems, in the order of the file. */
  readonly problems: readonly Problem[];
  /**
   * Values that look like mistakes although they are well-formed, such as those of the example; in the order of the
   * file.
   */
  readonly warnings: readonly Problem[];
  /** The line of each key and array item, by paths such as `clientAuth.caFiles[0]`. */
  readonly lines: ReadonlyMap<string, number>;
}

/** No real site file is this long. A longer text is the wrong file and would only cost time. */
const maxCharacters = 1_000_000;

/**
 * Reads a site file. `content` is the bytes of the file, or its text. `file` is only repeated in problems. Every
 * problem is reported, not only the first one.
 */
export function readSite(content: Uint8Array | string, file: string): ReadSite {
  const text = typeof content === "string" ? content : decodeText(content);
  if (typeof text === "string") return readSiteText(text.replace(/^\ufeff/, ""), file);
  return refused([{ file, line: text.line, column: 1, path: "", text: text.text }]);
}

/**
 * Reads the text of a site file, which has no byte order mark any more. Where the syntax is wrong, only private keys
 * and suspicious characters are reported beside it.
 */
function readSiteText(text: string, file: string): ReadSite {
  const problemAt = (line: number, column: number, problem: string): Problem => ({
    ...{ file, line, column },
    path: "",
    text: problem,
  });
  if (text.length > maxCharacters)
    return refused([problemAt(1, 1, `the file has ${text.length} characters; a site file has a few pages at most`)]);
  const privateKeys = findPrivateKeys(text).map((line) =>
    problemAt(
      line,
      1,
      "a private key is pasted here; remove it, treat it as known to others, and write where the key is (login: keyFile)",
    ),
  );
  const document = readYaml(text);
  if ("reason" in document) {
    const reason = describeSyntax(document.reason, text.split("\n")[document.at.line - 1] ?? "");
    return refused(
      sortByPlace([
        ...privateKeys,
        problemAt(document.at.line, document.at.column, reason),
        ...findSuspectLines(text, file),
      ]),
    );
  }
  const { site, mistakes, doubts, part } = checkDocument(document);
  const placed = mistakes.map((mistake) => place(mistake, document, file));
  // Where a private key is pasted, no other problem of that line is reported.
  const others = placed.filter(({ line }) => !privateKeys.some((key) => key.line === line));
  const problems = sortByPlace([...privateKeys, ...others]);
  const lines = new Map([...document.positions].map(([path, { line }]) => [path, line]));
  const warnings = sortByPlace(doubts.map((mistake) => place(mistake, document, file)));
  if (site === undefined || problems.length > 0) return { ...refused(problems), ...part, warnings, lines };
  return { ...part, site, problems, warnings, lines };
}

/** The result for a file of which nothing but its problems is known. */
const refused = (problems: readonly Problem[]): ReadSite => ({
  site: undefined,
  clientAuth: undefined,
  undetermined: new Set(),
  problems,
  warnings: [],
  lines: new Map(),
});

interface Checked {
  readonly site: Site | undefined;
  /** Mistakes become problems. */
  readonly mistakes: readonly Mistake[];
  /** Doubts become warnings. */
  readonly doubts: readonly Mistake[];
  readonly part: ClientAuthPart;
}

/** The hosts that are well-formed, with their indexes. */
function findHosts({ value }: Document): NumberedHost[] {
  const hosts = valueAt(value, ["hosts"]);
  return (Array.isArray(hosts) ? hosts : []).flatMap((host, i): NumberedHost[] => {
    const { data } = siteSchema.shape.hosts.element.safeParse(host);
    return data === undefined ? [] : [[i, data]];
  });
}

/** Makes all checks of a document whose syntax is right. */
function checkDocument(document: Document): Checked {
  const result = siteSchema.safeParse(document.value);
  const context = { document: document.value, jsonSchema: makeJsonSchema(), typeWords: yamlTypeWords };
  const hosts = findHosts(document);
  const servers = findSameServers(hosts, (path) => document.positions.get(path)?.line);
  const mistakes = [
    ...document.duplicates.map(({ path }) => ({
      path,
      text: "the key stands twice, and only one can count; remove one",
    })),
    ...findSuspectTexts(document.value, []),
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, context)),
    ...findRepeatedHosts(hosts),
    ...servers.problems,
  ];
  const part = readClientAuth(document.value, mistakes);
  const doubts = [
    ...hosts.flatMap(([index, host]) => findHostPlaceholders(host, index)),
    ...servers.warnings,
    ...findDoubts(part),
  ];
  return { site: result.data, mistakes, doubts, part };
}

/** Finds values of `clientAuth` that are well-formed, but probably not meant. */
function findDoubts({ clientAuth, undetermined }: ClientAuthPart): Mistake[] {
  if (clientAuth === undefined) return [];
  // It is not known who gets in while one of these keys is wrong.
  const isUnknownWho = ["organizations", "countries", "issuers"].some((key) => undetermined.has(key));
  return [
    ...findCaPlaceholders(clientAuth),
    ...findDoubledBackslashes(clientAuth),
    ...findLoneCompanyForms(clientAuth),
    ...(isUnknownWho ? [] : findEverybody(clientAuth)),
    ...findSecretUrls(clientAuth),
  ];
}

/** Finds hosts whose name an earlier host has. */
function findRepeatedHosts(hosts: readonly NumberedHost[]): Mistake[] {
  const indexOfName = new Map<string, number>();
  return hosts.flatMap(([i, { name }]) => {
    const earlier = indexOfName.get(name);
    if (earlier === undefined) {
      indexOfName.set(name, i);
      return [];
    }
    const text = `${JSON.stringify(name)} is the name of hosts[${earlier}], too; give each host its own name`;
    return [{ path: ["hosts", i, "name"], text }];
  });
}

/**
 * Finds suspicious characters in every key and text of a value, and calls itself for what is inside it, down to
 * `maxDepth`.
 */
function findSuspectTexts(value: unknown, path: Path): Mistake[] {
  if (typeof value === "string") return findSuspects(value, isNamePath(path)).map((text) => ({ path, text }));
  if (typeof value !== "object" || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const innerPath = [...path, isList ? Number(key) : key];
    const inKey = isList
      ? []
      : findSuspects(key, false).map((text) => ({ path: innerPath, text: `in the key, ${text}` }));
    return [...inKey, ...(path.length < maxDepth ? findSuspectTexts(inner, innerPath) : [])];
  });
}

/** A site file is five levels deep, but YAML aliases could make it endless. */
const maxDepth = 8;

/** Whether a path leads to the name of an organization, a CA or a file. The last line is for `crlSources[0].file`. */
const isNamePath = (path: Path): boolean =>
  path[0] === "clientAuth" &&
  (["organizations", "organizationalUnits", "issuers", "caFiles", "crlFiles", "sampleCertificate"].includes(
    String(path[1]),
  ) ||
    path[3] === "file");

/**
 * Gives a mistake its line and column: those of the nearest place that exists in the file, or else the beginning of the
 * file. A missing key is thus reported at the place that should contain it. A mistake about an empty file gets another
 * text.
 */
function place({ path, text }: Mistake, document: Document, file: string): Problem {
  for (let length = path.length; length > 0; length--) {
    const position = document.positions.get(renderPath(path.slice(0, length)));
    if (position !== undefined) return { file, ...position, path: renderPath(path), text };
  }
  const isEmpty = path.length === 0 && (document.value === undefined || document.value === null);
  return {
    file,
    line: 1,
    column: 1,
    path: renderPath(path),
    text: isEmpty ? "the file is empty; write clientAuth: and hosts:, as in stacks/example.yaml" : text,
  };
}

/** The lines where a private key begins, anywhere in the file, including comments. */
const findPrivateKeys = (text: string): number[] =>
  text.split("\n").flatMap((line, i) => (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(line) ? [i + 1] : []));

/**
 * Finds suspicious characters in the lines of a file whose syntax is wrong, and which therefore has no values to check.
 * Comments may contain anything.
 */
function findSuspectLines(text: string, file: string): Problem[] {
  return text.split("\n").flatMap((line, i) => {
    const code = line.replace(/(^|\s)#.*$/, "");
    return findSuspects(code, false).map((suspect) => ({ file, line: i + 1, column: 1, path: "", text: suspect }));
  });
}

/** Turns the reason of js-yaml into advice. */
function describeSyntax(reason: string, line: string): string {
  if (/^[ ]*\t/.test(line)) return "a tab stands in the indentation, which YAML forbids; indent with blanks";
  if (/expected a single document/.test(reason)) return "the file holds several YAML documents (---); write one";
  if (/bad indentation|can not read (a block mapping|an implicit)/.test(reason))
    return `the YAML is malformed here or just above (${reason}); compare the indentation and the colons with stacks/example.yaml`;
  return `the YAML is malformed here or just above (${reason || "unreadable"}); compare it with stacks/example.yaml`;
}

const sortByPlace = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
