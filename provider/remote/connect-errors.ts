/** Explains to the person who edits the site file why a connection was not made. */
import type { HostKey } from "../../core/connection/host-key.ts";
import { type Credentials, fingerprint } from "./credentials.ts";
import { HostError, asOneLine } from "./host-error.ts";

/** A login that was tried. */
export interface Attempt {
  readonly place: string;
  readonly user: string;
  readonly hostKey: HostKey;
  readonly credentials: Credentials;
  readonly readyTimeoutSeconds: number;
}

/** The error in the form in which the SSH library makes it. */
export interface ClientError extends Error {
  readonly level?: string;
  readonly code?: string | number;
}

/** What the login had learned before it failed. */
export interface Seen {
  /** The key that the host showed. Undefined where it showed none. */
  readonly shown: Buffer | undefined;
  /** The message of the agent. */
  readonly agentFailure: string | undefined;
  /** The login methods that the host demands in addition to the one that it accepted. */
  readonly wantsToo: string | undefined;
}

/**
 * The error that explains why the connection was not made. The first cause that fits counts: another host key, no host
 * key of the type, a second login method, too many keys of the agent, a refused login, no connection.
 */
export function connectError(attempt: Attempt, error: ClientError, seen: Seen): HostError {
  const { place, user, hostKey, credentials } = attempt;
  const { shown, agentFailure, wantsToo } = seen;
  if (shown !== undefined && !shown.equals(hostKey.bytes)) {
    const cause = `shows the host key ${fingerprint(shown)}, not ${fingerprint(hostKey.bytes)} as in the site file`;
    const remedy =
      'it may be another machine: compare with "cat /etc/ssh/ssh_host_*_key.pub | ssh-keygen -lf -" on its console before you change the site file';
    return new HostError("hostKey", `${place}: ${cause}; ${remedy}`);
  }
  // The library's message where the host signs with none of the algorithms that we accept (`hostKeyAlgorithms`).
  if (/host key format/.test(error.message)) {
    if (hostKey.type === "ssh-rsa") {
      const cause = "has no RSA host key, or signs with SHA-1 only by it, which is too weak";
      return new HostError("hostKey", `${place}: ${cause}; update its sshd, or give another key, read on its console`);
    }
    const cause = `has no host key of the type ${hostKey.type} that the site file names`;
    return new HostError("hostKey", `${place}: ${cause}; give a key that it has, read on its console`);
  }
  if (wantsToo !== undefined) {
    const cause = `accepts the ${credentials.by === "password" ? "password" : "key"} of ${user}, and wants ${asOneLine(wantsToo)}, too (AuthenticationMethods), which is not supported`;
    return new HostError("login", `${place}: ${cause}; let one of them do for this user`);
  }
  if (credentials.by === "agent" && /too many authentication failures/i.test(error.message)) {
    const cause = `the agent at SSH_AUTH_SOCK offers more keys than the host lets ${user} try (MaxAuthTries)`;
    return new HostError("login", `${place}: ${cause}; take the others out with ssh-add -d, or name a keyFile`);
  }
  if (error.level === "client-authentication") return loginError(place, user, credentials, agentFailure);
  return unreachable(attempt, error);
}

/** The error where the host let the user in by none of the methods. */
function loginError(place: string, user: string, credentials: Credentials, agentFailure?: string): HostError {
  const authorize = `~${user}/.ssh/authorized_keys on the host`;
  switch (credentials.by) {
    case "agent": {
      const cause =
        agentFailure === undefined
          ? `no key of the agent at SSH_AUTH_SOCK lets ${user} in`
          : `the agent at SSH_AUTH_SOCK gives no key (${agentFailure})`;
      return new HostError(
        "login",
        `${place}: ${cause}; add the key with ssh-add, and its public half to ${authorize}`,
      );
    }
    case "key":
      return new HostError(
        "login",
        `${place}: the key of ${credentials.source} does not let ${user} in${credentials.hasCertificate === true ? ", and the certificate beside it (-cert.pub) is not supported" : ""}; add its public half to ${authorize}`,
      );
    case "password":
      return new HostError(
        "login",
        `${place}: the password in ${credentials.source} does not let ${user} in; put the right one there, or use a key`,
      );
  }
}

/** What the codes of the system's socket errors mean, and what to do. */
const socketReasons: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name has no address; check the spelling and the DNS",
  EAI_AGAIN: "the name cannot be looked up now; check the DNS of this machine",
  ECONNREFUSED: "nothing listens on this port; start sshd there or correct the port",
  EHOSTUNREACH: "there is no route to it; check network and firewall",
  ENETUNREACH: "there is no route to it; check network and firewall",
  ETIMEDOUT: "no answer on this port; check network and firewall",
  ECONNRESET: "it closes the connection at once; look into the log of its sshd (MaxStartups, AllowUsers, a ban)",
};

/** The error where there was no connection, or no login on it. */
function unreachable({ place, readyTimeoutSeconds }: Attempt, error: ClientError): HostError {
  const reason = socketReasons[String(error.code)];
  if (reason !== undefined) return new HostError("unreachable", `${place}: ${reason}`);
  if (error.level === "client-timeout") {
    const cause = `no login within ${readyTimeoutSeconds} s`;
    return new HostError("unreachable", `${place}: ${cause}; check network, firewall and the load of the host`);
  }
  return new HostError("unreachable", `${place}: no SSH connection (${messageOf(error)}); see the log of its sshd`);
}

/** The message of an error of the library on one line, safe for a terminal, as a part of our message. */
export function messageOf(error: unknown): string {
  return asOneLine(error instanceof Error ? error.message : String(error));
}
