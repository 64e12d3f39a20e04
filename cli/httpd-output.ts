/**
 * Reads the output of `httpd -V` and `httpd -M` of a host from files. The output shows what a copy of the host's files
 * alone does not.
 */
import { readFileSync } from "node:fs";
import { parseDump } from "../core/apache/config/dump.ts";
import { absolutePath } from "../core/apache/config/paths.ts";
import { hostBytes } from "../core/host-text.ts";
import { decodeText, withoutByteOrderMark } from "../core/site/text.ts";

/** What `httpd -V` prints. Its list of -D names shows how the program was built: IfDefine knows none of these names. */
export interface HttpdVersion {
  /** Such as `Apache/2.4.71 (Debian)`. */
  readonly version: string;
  /** HTTPD_ROOT: the ServerRoot that applies where the configuration has none. */
  readonly serverRoot: string;
  /** SERVER_CONFIG_FILE: the main file that applies where none is given, as an absolute path. */
  readonly configFile: string;
}

/** What `httpd -M` prints: names such as `ssl_module`, with how each module was linked. */
export type HttpdModules = ReadonlyMap<string, "static" | "shared">;

/**
 * Reads the output of `httpd -V`. Undefined where the text has no version, no absolute HTTPD_ROOT or no
 * SERVER_CONFIG_FILE.
 */
function readHttpdVersion(text: string): HttpdVersion | undefined {
  const version = /^Server version: +(\S.*?)\s*$/m.exec(text)?.[1];
  const settings = new Map([...text.matchAll(/^ *-D (\w+)="(.*)"\s*$/gm)].map(([, name, value]) => [name, value]));
  const root = settings.get("HTTPD_ROOT");
  const file = settings.get("SERVER_CONFIG_FILE");
  if (version === undefined || root?.startsWith("/") !== true || file === undefined) return undefined;
  return { version, serverRoot: absolutePath("/", root), configFile: absolutePath(root, file) };
}

/** Reads the output of `httpd -M`. Undefined for any other text. The text may have the line ends of Windows. */
const readHttpdModules = (text: string): HttpdModules | undefined => parseDump(text.replace(/\r$/gm, "")).modules;

/** The paths of the files, as the options name them. */
export interface OutputFiles {
  readonly httpdVersion?: string | undefined;
  readonly httpdModules?: string | undefined;
  readonly saved?: string | undefined;
}

/** The content of the files. A part is undefined where no file was given. */
export interface HttpdOutput {
  readonly version: HttpdVersion | undefined;
  readonly modules: HttpdModules | undefined;
}

/**
 * Reads the files that were given. Returns their content, or everything that is wrong: with a file, or with giving one
 * of them together with `saved`, which holds the same.
 */
export function openOutputs(files: OutputFiles): HttpdOutput | { readonly problems: readonly string[] } {
  const version = openOutput("--httpd-version", "httpd -V", files.httpdVersion, readHttpdVersion);
  const modules = openOutput("--httpd-modules", "httpd -M", files.httpdModules, readHttpdModules);
  const isGivenTwice = files.saved !== undefined && (files.httpdVersion ?? files.httpdModules) !== undefined;
  const problems = [
    ...[version, modules].flatMap((read) => ("problem" in read ? [read.problem] : [])),
    ...(isGivenTwice
      ? ["--saved has what httpd -V and httpd -M say; leave out --httpd-version and --httpd-modules"]
      : []),
  ];
  if ("problem" in version || "problem" in modules || isGivenTwice) return { problems };
  return { version: version.content, modules: modules.content };
}

/**
 * Reads the file that `option` names by `read`. The content is undefined where the option was not given. It is a
 * problem where the file cannot be read, is of an httpd before 2.4, or is not the output of `command`.
 */
function openOutput<T>(
  option: string,
  command: string,
  file: string | undefined,
  read: (text: string) => T | undefined,
): { readonly content: T | undefined } | { readonly problem: string } {
  if (file === undefined) return { content: undefined };
  const remedy = `run ${command} > FILE on the host and copy that file`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return { problem: `${option} ${file}: cannot be read; ${remedy}` };
  }
  // Paths may have any bytes, so the bytes are kept as latin1. A file with zero bytes was rewritten by Windows as
  // UTF-16: its text is decoded first, and `hostBytes` then makes bytes of it.
  const text = bytes.includes(0) ? decodeText(bytes) : withoutByteOrderMark(bytes).toString("latin1");
  if (typeof text !== "string") return { problem: `${option} ${file}: ${text.text}` };
  const content = read(bytes.includes(0) ? hostBytes(text) : text);
  const olderVersion = /^Server version: +(Apache\/(?:1\.|2\.[0-3])\S*)/m.exec(text)?.[1];
  if (olderVersion !== undefined)
    return { problem: `${option} ${file}: is of ${olderVersion}; clientcert needs Apache httpd 2.4` };
  return content === undefined
    ? { problem: `${option} ${file}: is not the output of ${command}; ${remedy}` }
    : { content };
}
