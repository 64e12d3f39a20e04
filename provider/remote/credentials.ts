/**
 * Reads what the site file only points to: keys, passwords and passphrases. The values stay in memory and never get
 * into a message. Messages name the variable or the file.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { type HostKey, readHostKey } from "../../core/connection/host-key.ts";
import { decodeText, withoutByteOrderMark } from "../../core/site/text.ts";
import { HostError, type HostErrorKind } from "./host-error.ts";
import type { Login, Sudo } from "../../core/connection/inputs.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export type Credentials =
  | { readonly by: "agent"; readonly socket: string }
  | {
      readonly by: "key";
      /** Where the key was found, in words for messages: `key file "…"` or `environment variable …`. */
      readonly source: string;
      readonly key: Buffer;
      readonly passphrase: string | undefined;
      readonly passphraseSource: string | undefined;
      /** Whether an OpenSSH certificate exists beside the key file. The certificate is not used. */
      readonly hasCertificate?: boolean;
    }
  | { readonly by: "password"; readonly source: string; readonly password: string };

/**
 * Reads the secret for the login. Rejects where it is not where the site file says.
 *
 * @param place - the host, with which messages begin
 */
export async function readLogin(place: string, login: Login, environment: Environment): Promise<Credentials> {
  switch (login.from) {
    case "agent":
      return { by: "agent", socket: requireVariable("login", place, "SSH_AUTH_SOCK", environment, agentRemedy) };
    case "keyFile":
      return {
        by: "key",
        source: `key file ${JSON.stringify(login.path)}`,
        key: requireKeyBytes(
          `${place}: key file ${JSON.stringify(login.path)}`,
          await readSecretFile("login", place, "key file", login.path, environment),
        ),
        passphrase:
          login.passphraseEnvironment === undefined
            ? undefined
            : requireVariable(
                "login",
                place,
                login.passphraseEnvironment,
                environment,
                "set it to the key's passphrase",
              ),
        passphraseSource: login.passphraseEnvironment,
        hasCertificate: existsSync(`${inHome(login.path, environment)}-cert.pub`),
      };
    case "keyEnvironment": {
      const text = requireVariable("login", place, login.name, environment, "set it to the text of a private key");
      const source = `environment variable ${login.name}`;
      return { by: "key", source, key: Buffer.from(text), passphrase: undefined, passphraseSource: undefined };
    }
    case "passwordEnvironment": {
      const password = requireVariable("login", place, login.name, environment, "set it to the user's password");
      return { by: "password", source: `environment variable ${login.name}`, password };
    }
  }
}

const agentRemedy = "start an agent and add the key to it (ssh-agent, ssh-add), or name a key file";

/**
 * The password for sudo, and where it came from. Undefined where sudo asks for no password. Rejects where the password
 * is not where the site file says, or cannot be sent to sudo.
 */
export async function readSudoPassword(
  place: string,
  sudo: Sudo,
  environment: Environment,
): Promise<{ readonly password: string; readonly source: string } | undefined> {
  if (sudo.how !== "password") return undefined;
  if (sudo.environment !== undefined) {
    const password = requireVariable("sudo", place, sudo.environment, environment, "set it to the password for sudo");
    const source = `environment variable ${sudo.environment}`;
    return { password: requireSudoPassword(place, source, password), source };
  }
  if (sudo.file !== undefined) {
    const text = await readSecretFile("sudo", place, "password file", sudo.file, environment);
    const source = `password file ${JSON.stringify(sudo.file)}`;
    return { password: requireSudoPassword(place, source, requireText("sudo", `${place}: ${source}`, text)), source };
  }
  throw new HostError(
    "sudo",
    `${place}: sudo needs a password and no place for it is given; name a variable or a file`,
  );
}

/**
 * The bytes of a key, without a byte order mark. Throws an error where they contain a zero byte, as in a key file that
 * Windows has rewritten in UTF-16. The encoding is not checked otherwise, because a key in PuTTY's form may have its
 * comment in any encoding.
 */
function requireKeyBytes(place: string, bytes: Buffer): Buffer {
  // A zero byte is never text, so `requireText` throws an error, which names the encoding.
  if (bytes.includes(0)) requireText("login", place, bytes);
  return withoutByteOrderMark(bytes);
}

/**
 * The text of a file. Throws an error where it cannot be decoded: a wrong password must not be tried, because too many
 * attempts would lock the account.
 */
function requireText(kind: HostErrorKind, place: string, bytes: Buffer): string {
  const text = decodeText(bytes);
  if (typeof text === "string") return text;
  throw new HostError(kind, `${place}, line ${text.line}: ${text.text}`);
}

/**
 * The password for sudo in `text`, without the line end that an editor writes at the end. Throws an error where it is
 * empty, or holds another line end or a zero byte: sudo reads one line of its input, and the program on the host would
 * read the rest.
 */
function requireSudoPassword(place: string, source: string, text: string): string {
  const password = text.replace(/\r?\n$/, "");
  if (password !== "" && !/[\r\n\0]/.test(password)) return password;
  const cause =
    password === "" ? "is empty" : password.includes("\0") ? "holds a zero byte" : "holds more than one line";
  throw new HostError("sudo", `${place}: ${source} ${cause}; it must hold the password for sudo and nothing else`);
}

/** The value of an environment variable. Throws an error of this kind where the variable is not set or is empty. */
function requireVariable(
  kind: HostErrorKind,
  place: string,
  name: string,
  environment: Environment,
  remedy: string,
): string {
  const value = environment[name];
  if (value !== undefined && value !== "") return value;
  const cause = value === undefined ? "is not set" : "is empty";
  throw new HostError(kind, `${place}: environment variable ${name} ${cause}; ${remedy}`);
}

/** The path with the home directory in the place of `~` in a leading `~/`. */
const inHome = (path: string, environment: Environment): string =>
  // A function, because `replace` would change `$` in a text.
  path.replace(/^~(?=\/)/, () => environment.HOME ?? homedir());

/** The bytes of a file. Rejects where it cannot be read; `what` names its purpose in the error. */
async function readSecretFile(
  kind: HostErrorKind,
  place: string,
  what: string,
  path: string,
  environment: Environment,
): Promise<Buffer> {
  try {
    return await readFile(inHome(path, environment));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw new HostError(
      kind,
      `${place}: ${what} ${JSON.stringify(path)} cannot be read (${code}); name an existing file that this user may read`,
    );
  }
}

/** Parses the host key of the site file. Throws an error when the text is not a host key. */
export function requireHostKey(place: string, text: string): HostKey {
  const read = readHostKey(text);
  if (typeof read !== "string") return read;
  throw new HostError("hostKey", `${place}: the host key given is not a public key: ${read}`);
}

/** The fingerprint `SHA256:…` that `ssh-keygen -l` shows. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
