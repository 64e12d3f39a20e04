/** Logs in to a host. This file alone imports the SSH library. */
import type { Duplex } from "node:stream";
import type ssh2 from "ssh2";
import type {
  AnyAuthMethod,
  AuthHandlerMiddleware,
  Client,
  ConnectConfig,
  ParsedKey,
  ServerHostKeyAlgorithm,
} from "ssh2";
import type { HostKey } from "../../core/connection/host-key.ts";
import type { Credentials } from "./credentials.ts";
import { HostError } from "./host-error.ts";
import type { Endpoint } from "../../core/connection/inputs.ts";
import { type Attempt, type ClientError, connectError, messageOf } from "./connect-errors.ts";
import type { Channel } from "./run-program.ts";

/** How often a host is asked whether it is still there. */
const keepAliveSeconds = 10;
/** How many of these questions may remain without an answer. After them, the connection counts as cut. */
const keepAlivesUnanswered = 3;
/** How long the host may take to answer the end of a connection. */
const closeTimeoutSeconds = 0.5;

type Library = typeof ssh2;

/** A connection after its login. Its methods reject with the library's own errors. */
export interface LoggedIn {
  /** Whether the connection is still open. */
  isOpen(): boolean;
  /**
   * Starts a command. `begin` gets the channel before any of its events, because the exit status may come in the same
   * packet.
   */
  start<T>(command: string, begin: (channel: Channel) => T): Promise<T>;
  /** Opens a way through this host to another one. */
  forward(to: Pick<Endpoint, "address" | "port">): Promise<Duplex>;
  /** Ends the connection politely, and by force if the host does not answer. */
  end(): Promise<void>;
}

export interface LoginOptions extends Attempt {
  readonly address: string;
  readonly port: number;
  /** A way through a bastion. @default - the connection goes directly to the address */
  readonly socket: Duplex | undefined;
  /** Called when the connection has ended, or could not be made. */
  readonly onEnd: () => void;
}

/** Connects to a host and logs in. Rejects with a {@link HostError} where this fails. */
export async function logIn(login: LoginOptions): Promise<LoggedIn> {
  // ssh2 takes 60 ms to load, so a plugin that may never connect does not load it at its start.
  const { default: library } = await import("ssh2");
  const methods = triedInOrder(authentication(library, login.place, login.user, login.credentials));
  return connect(new library.Client(), login, methods);
}

/**
 * The login methods, which are tried one after the other. `wantsToo` returns the methods that the host demands in
 * addition to the one that it accepted.
 */
interface Methods {
  readonly next: AuthHandlerMiddleware;
  wantsToo(): string | undefined;
}

/** Makes the library's callback that gives it the methods one after the other. After the last one, the login fails. */
function triedInOrder(methods: readonly AnyAuthMethod[]): Methods {
  let tried = 0;
  let wanted: string | undefined;
  const next: AuthHandlerMiddleware = (offered, isPartial, use) => {
    // `isPartial` means that the host has accepted a method and demands another one. The library's type does not show
    // that the first value is null.
    if ((isPartial as boolean | null) === true) wanted = offered.join(" or ");
    const method = methods[tried];
    tried += 1;
    // The library takes false for the end of the list, which its type does not show.
    use(method ?? (false as unknown as AnyAuthMethod));
  };
  return { next, wantsToo: () => wanted };
}

/**
 * Connects and logs in. Rejects with {@link connectError} where the login does not succeed. An error after the login is
 * reported by the calls that it breaks, and not here.
 */
function connect(client: Client, login: LoginOptions, methods: Methods): Promise<LoggedIn> {
  return new Promise((resolve, reject) => {
    let isOpen = false;
    let shown: Buffer | undefined;
    let agentFailure: string | undefined;
    const onClosed = (): void => {
      isOpen = false;
      login.onEnd();
    };
    const fail = (error: ClientError): void => {
      if (isOpen) return;
      reject(connectError(login, error, { shown, agentFailure, wantsToo: methods.wantsToo() }));
      client.destroy();
    };
    client
      .on("ready", () => {
        isOpen = true;
        resolve({ isOpen: () => isOpen, ...methodsOf(client, onClosed) });
      })
      .on("error", (error: ClientError) => {
        // The agent may refuse one key and still sign with the next.
        if (error.level === "agent") agentFailure = messageOf(error);
        else fail(error);
      })
      .on("close", () => {
        fail(new Error("it was closed during the login"));
        onClosed();
      });
    const isPinned = (key: Buffer): boolean => {
      shown = key; // for the error where it is another key
      return key.equals(login.hostKey.bytes);
    };
    client.connect(connectConfig(login, methods.next, isPinned));
    // Otherwise each of our small packets waits up to 40 ms for the acknowledgement of the packet before.
    client.setNoDelay(true);
  });
}

/**
 * The calls on a client that has logged in. `onClosed` is called where one of them finds that the connection is gone.
 */
const methodsOf = (client: Client, onClosed: () => void): Omit<LoggedIn, "isOpen"> => ({
  start: (command, begin) =>
    new Promise((resolve, reject) => {
      callLibrary(onClosed, () =>
        client.exec(command, (error, channel) => (error ? reject(error) : resolve(begin(channel)))),
      );
    }),
  forward: ({ address, port }) =>
    new Promise((resolve, reject) => {
      callLibrary(onClosed, () =>
        client.forwardOut("127.0.0.1", 0, address, port, (error, channel) =>
          error ? reject(error) : resolve(channel),
        ),
      );
    }),
  end: () => end(client),
});

/**
 * Runs `call`, which calls ssh2. The library throws an error only where the socket is already gone, which can happen
 * before any event reports it. The connection then counts as closed, and the error is thrown again.
 */
function callLibrary(onClosed: () => void, call: () => unknown): void {
  try {
    call();
  } catch (error) {
    onClosed();
    throw error;
  }
}

/** The library's settings for one connection. */
function connectConfig(
  login: LoginOptions,
  authHandler: AuthHandlerMiddleware,
  hostVerifier: (key: Buffer) => boolean,
): ConnectConfig {
  return {
    ...(login.socket === undefined ? { host: login.address, port: login.port } : { sock: login.socket }),
    username: login.user,
    authHandler,
    algorithms: { serverHostKey: hostKeyAlgorithms(login.hostKey) },
    hostVerifier,
    readyTimeout: login.readyTimeoutSeconds * 1000,
    keepaliveInterval: keepAliveSeconds * 1000,
    keepaliveCountMax: keepAlivesUnanswered,
  };
}

/**
 * The algorithms that sign with the pinned key, and no others. Otherwise a host with several keys would show another
 * key. SHA-1 is left out.
 */
function hostKeyAlgorithms(hostKey: HostKey): ServerHostKeyAlgorithm[] {
  if (hostKey.type === "ssh-rsa") return ["rsa-sha2-512", "rsa-sha2-256"];
  return [hostKey.type];
}

/**
 * How to log in: by the one secret that the site file names. Nothing else is tried. A password is offered in both ways
 * in which hosts ask for one. Throws an error where a key cannot be used.
 */
function authentication(library: Library, place: string, username: string, credentials: Credentials): AnyAuthMethod[] {
  switch (credentials.by) {
    case "agent":
      return [{ type: "agent", username, agent: credentials.socket }];
    case "key":
      return [{ type: "publickey", username, key: requireKey(library, place, credentials) }];
    case "password": {
      const { password } = credentials;
      return [
        { type: "password", username, password },
        {
          // Hosts with PAM often accept passwords only this way. A single hidden question is the password; any other
          // question is not.
          type: "keyboard-interactive",
          username,
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.length === 1 && prompts[0]?.echo !== true ? [password] : []),
        },
      ];
    }
  }
}

/** Parses the private key. Throws an error that says why the key cannot be used. */
function requireKey(library: Library, place: string, credentials: Extract<Credentials, { by: "key" }>): ParsedKey {
  const { source, passphrase, passphraseSource } = credentials;
  const key = library.utils.parseKey(credentials.key, passphrase);
  if (!(key instanceof Error) && key.isPrivateKey()) return key;
  const fail = (cause: string): never => {
    throw new HostError("login", `${place}: ${source} ${cause}`);
  };
  const reason = key instanceof Error ? key.message : "unsupported key format";
  if (/no passphrase given/i.test(reason)) {
    return fail("is encrypted; name an environment variable with its passphrase, or add the key to an agent");
  }
  if (passphrase !== undefined && !/unsupported key format/i.test(reason)) {
    return fail(`cannot be decrypted with the passphrase in ${passphraseSource}; put the right one there`);
  }
  return fail("holds no private key that can be used; give one in OpenSSH or PEM form, as ssh-keygen writes it");
}

/** Ends the connection. Resolves when it is closed, which is forced after {@link closeTimeoutSeconds}. */
function end(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => client.destroy(), closeTimeoutSeconds * 1000);
    client.once("close", () => {
      clearTimeout(force);
      resolve();
    });
    client.end();
  });
}
