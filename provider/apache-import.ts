/** `pulumi import`: an id is all that Read gets, so the id must say how to reach the host. */
import type { Facts } from "../core/apache/model.ts";
import { type Wishes, withDefaults, wishesOf } from "./apache-inputs.ts";
import type { Login } from "./host/model.ts";
import type { Properties } from "./resource.ts";

const form =
  "ssh://USER@ADDRESS:PORT?hostKey=ssh-ed25519%20AAAA…[&keyFile=PATH][&sudo=passwordless][&config=PATH][&httpsPort=443]";

/** The wishes that an import id names; what it does not name comes from the host, see {@link importedInputs}. */
export function importTarget(id: string, owner: string): Wishes {
  const url = parseUrl(id);
  const { searchParams: parameters } = url;
  const keyFile = parameters.get("keyFile");
  const login: Login = keyFile === null ? { from: "agent" } : { from: "keyFile", path: keyFile };
  const config = parameters.get("config");
  const sudo = parameters.get("sudo");
  const connection = {
    address: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    user: decodeURIComponent(url.username) || "root",
    hostKey: parameters.get("hostKey") ?? "",
    login,
    ...(sudo === null ? {} : { sudo: { how: sudo } }),
  };
  const detection = config === null ? {} : { config };
  const port = parameters.has("httpsPort") ? { port: Number(parameters.get("httpsPort")) } : {};
  const siteFile = `stacks/${owner.split("/")[2] ?? "site"}.yaml`;
  const ca = { sha256: "unknown until the host is read", certificates: [] };
  return wishesOf({ owner, siteFile, ca, connection, detection, ...port });
}

function parseUrl(id: string): URL {
  const url = URL.canParse(id) ? new URL(id) : undefined;
  if (url?.protocol === "ssh:" && url.searchParams.has("hostKey")) return url;
  throw new Error(`import id ${JSON.stringify(id)}: does not say how to reach the host; write ${form}`);
}

/** Inputs that describe the host as it is, so that an import changes nothing. */
export function importedInputs(wishes: Wishes, facts: Facts): Properties {
  const { conf = "", files, ca, crls, owner } = facts.own;
  const [caFile, sha256] = Object.entries(files).find(([name]) => /^ca-.*\.pem$/.test(name)) ?? [];
  return withDefaults({
    ...wishes,
    owner: owner ?? wishes.owner,
    ca: { sha256: sha256 ?? "none", certificates: ca },
    caFiles: caFile === undefined ? [] : [caFile],
    crls,
    crlSha256: files["crl.pem"] ?? "",
    crlFiles: crls.length === 0 ? [] : ["crl.pem"],
    crlCheck: /^\s*SSLCARevocationCheck\s+chain\b/m.test(conf) ? "chain" : "leaf",
    organizations: allowed(conf, "SSL_CLIENT_S_DN_O"),
    countries: allowed(conf, "SSL_CLIENT_S_DN_C"),
  });
}

/** The list of our own `SSLRequire %{NAME} in {"…",""}`, without the empty one that lets in who has no certificate. */
function allowed(conf: string, name: string): readonly string[] {
  const [, list = ""] = new RegExp(`%\\{${name}\\} in \\{([^}]*)\\}`).exec(conf) ?? [];
  const quoted = [...list.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text.replace(/\\(.)/g, "$1"));
  return quoted.filter((text) => text !== "");
}
