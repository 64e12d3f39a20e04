/**
 * Whether a CA's name constraints allow the names of a user's certificate, as OpenSSL decides it. httpd checks the
 * constraints after the signature, so no probe shows them.
 *
 * @see RFC 5280, section 4.2.1.10; NAME_CONSTRAINTS_check in OpenSSL's crypto/x509/v3_ncons.c
 */
import type { Certificate } from "./certificate.ts";
import { type Tlv, DerError, children, contentOf, contextTag, readOid, readWhole } from "./der.ts";
import { extensionOid, findExtension } from "./extensions.ts";
import { generalNameTag, readDirectoryName } from "./general-name.ts";

/** A name that is compared with the constraints of its kind. */
interface Name {
  /** The kind of the name: the number of its context tag, and for an otherName also its type. */
  readonly kind: string;
  readonly text: string;
  /** What a message calls the name. */
  readonly what: string;
}

interface Subtree extends Pick<Name, "kind" | "text"> {
  /** Whether the subtree has a minimum or maximum, which OpenSSL does not support. */
  readonly hasLimits: boolean;
}

/**
 * The names of the certificate that the CA forbids, in words such as `its DNS name`. Empty where the CA allows all of
 * them or has no name constraints. Malformed constraints forbid everything, in one text.
 */
export function findForbiddenNames(certificate: Certificate, ca: Certificate): string[] {
  const value = findExtension(ca.extensions, extensionOid.nameConstraints)?.value;
  if (value === undefined) return [];
  try {
    const parts = children(value, readWhole(value));
    const subtreesOf = (number: number): Subtree[] =>
      parts
        .filter(({ tag }) => tag === contextTag(number, true))
        .flatMap((list) => children(value, list).map((subtree) => readSubtree(value, subtree)));
    // NameConstraints ::= SEQUENCE { [0] permittedSubtrees, [1] excludedSubtrees }.
    const [permitted, excluded] = [subtreesOf(0), subtreesOf(1)];
    return readNames(certificate).flatMap((name) => (isAllowed(name, permitted, excluded) ? [] : [name.what]));
  } catch (error) {
    if (error instanceof DerError) return ["all of it: its constraints are malformed"];
    throw error;
  }
}

/**
 * Whether a name is in a permitted subtree of its kind, where there are such subtrees, and in no excluded one. True
 * where there are no subtrees of its kind. Otherwise false for a kind that OpenSSL cannot compare, and for subtrees
 * with limits, because OpenSSL then refuses the name.
 */
function isAllowed(name: Name, permitted: readonly Subtree[], excluded: readonly Subtree[]): boolean {
  const ofKind = (subtrees: readonly Subtree[]): Subtree[] => subtrees.filter(({ kind }) => kind === name.kind);
  const [permittedHere, excludedHere] = [ofKind(permitted), ofKind(excluded)];
  const matches = matchers[name.kind];
  if (permittedHere.length + excludedHere.length === 0) return true;
  if (matches === undefined || [...permittedHere, ...excludedHere].some(({ hasLimits }) => hasLimits)) return false;
  const isIn = ({ text }: Subtree): boolean => matches(name.text, text);
  return (permittedHere.length === 0 || permittedHere.some(isIn)) && !excludedHere.some(isIn);
}

const { rfc822Name, dNSName, directoryName, otherName } = generalNameTag;

/**
 * How a name is compared with the base of a subtree, for the kinds that OpenSSL compares. For every other kind it
 * refuses the certificate (error 51). URIs and IP addresses count as allowed, because users' certificates do not have
 * them; OpenSSL itself judges them.
 */
const matchers: Readonly<Record<string, (name: string, base: string) => boolean>> = {
  [directoryName]: (name, base) => base === "" || name === base || name.startsWith(`${base},`),
  [dNSName]: (name, base) =>
    base === "" || endsWithPart(name.toLowerCase(), base.toLowerCase(), base.startsWith(".") ? "" : "."),
  [rfc822Name]: matchesMail,
  [generalNameTag.uri]: () => true,
  [generalNameTag.iPAddress]: () => true,
};

/** Whether a name is the base, or ends with it after the separator. */
const endsWithPart = (name: string, base: string, separator: string): boolean =>
  name === base || name.endsWith(separator + base);

/**
 * Whether a mail address is in the base of a subtree: a mailbox, a host with all its mailboxes or, where the base
 * begins with a dot, the mailboxes of every host of a domain.
 */
function matchesMail(name: string, base: string): boolean {
  const split = name.lastIndexOf("@");
  const [local, host] = [name.slice(0, split), name.slice(split + 1).toLowerCase()];
  const baseSplit = base.lastIndexOf("@");
  const domain = base.slice(baseSplit + 1).toLowerCase();
  if (base.startsWith(".")) return host.endsWith(domain);
  return host === domain && (baseSplit <= 0 || local === base.slice(0, baseSplit));
}

/**
 * GeneralSubtree ::= SEQUENCE { base, [0] minimum, [1] maximum }. Throws {@link DerError} where the base is missing.
 */
function readSubtree(bytes: Uint8Array, subtree: Tlv): Subtree {
  const [base, ...limits] = children(bytes, subtree);
  if (base === undefined) throw new DerError("a name constraint is malformed");
  return { kind: kindOf(bytes, base), text: textOf(bytes, base), hasLimits: limits.length > 0 };
}

/** The kind of a GeneralName: its number, and for an otherName also its type. */
function kindOf(bytes: Uint8Array, name: Tlv): string {
  const number = name.tag & 0x1f;
  const [type] = number === otherName ? children(bytes, name) : [];
  return type === undefined ? String(number) : `${number} ${readOid(bytes, type)}`;
}

/** The canonical form of a directory name, and the content bytes of any other name as latin1. */
const textOf = (bytes: Uint8Array, name: Tlv): string =>
  readDirectoryName(bytes, name) ?? Buffer.from(contentOf(bytes, name)).toString("latin1");

/**
 * The names that are compared: the subject, the mail addresses in it, the alternative names and, where none of these is
 * a DNS name, each common name that OpenSSL takes for one.
 */
function readNames(certificate: Certificate): Name[] {
  const { attributes, canonicalSubject, extensions } = certificate;
  const value = findExtension(extensions, extensionOid.subjectAltName)?.value;
  const alternativeNames =
    value === undefined ? [] : children(value, readWhole(value)).map((name) => readName(value, name));
  const subject = { kind: String(directoryName), text: canonicalSubject, what: "its subject" };
  const hasDns = alternativeNames.some(({ kind }) => kind === String(dNSName));
  const texts = (wanted: string): string[] =>
    attributes.flatMap(({ type, text }) => (type === wanted && text !== undefined ? [text] : []));
  return [
    ...(canonicalSubject === "" ? [] : [subject]),
    ...texts("emailAddress").map((text) => ({ kind: String(rfc822Name), text, what: "its mail address" })),
    ...alternativeNames,
    ...(hasDns ? [] : texts("CN").filter(isTakenForDnsName)).map((text) => ({
      kind: String(dNSName),
      text,
      what: `its common name ${JSON.stringify(text)}, which OpenSSL takes for a DNS name because of its dot`,
    })),
  ];
}

/**
 * Whether OpenSSL takes a common name for a DNS name (cn2dnsid): it has only letters, digits, `_`, hyphens and dots, and
 * at least one dot; no part between dots is empty, and none begins or ends with a hyphen.
 */
const isTakenForDnsName = (text: string): boolean =>
  /^[\w.-]+$/.test(text) && text.includes(".") && !/^[.-]|[.-]$|\.[.-]|-\./.test(text);

const readName = (bytes: Uint8Array, name: Tlv): Name => ({
  kind: kindOf(bytes, name),
  text: textOf(bytes, name),
  what: messageNames[kindOf(bytes, name)] ?? "one of its alternative names",
});

/** What messages call an alternative name, by its kind. */
const messageNames: Readonly<Record<string, string>> = {
  [rfc822Name]: "its mail address",
  [dNSName]: "its DNS name",
  [directoryName]: "its directory name",
  [`${otherName} 1.3.6.1.4.1.311.20.2.3`]: "its user principal name (UPN), a kind of name that OpenSSL cannot compare",
};
