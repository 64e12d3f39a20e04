/**
 * Reads certificate revocation lists by slicing: it reads the headers, and only walks through the revoked certificates.
 *
 * @see RFC 5280, section 5.1
 */
import { createHash } from "node:crypto";
import type { CrlSummary } from "./summary.ts";
import {
  type Tlv,
  DerError,
  children,
  contentOf,
  contextTag,
  derTag,
  isExactTime,
  isTime,
  rawOf,
  readInteger,
  readTime,
  readTlv,
  readWhole,
  requireTlv,
} from "./der.ts";
import { type AuthorityKey, readAuthority } from "./authority.ts";
import { countEntries } from "./crl-entries.ts";
import { readIssuingPoint } from "./crl-scope.ts";
import { type Extension, extensionOid, findExtension, readExtensions } from "./extensions.ts";
import { type PkiDiagnostic, problem } from "./pki-diagnostic.ts";
import { describeWrongKind } from "./kind.ts";
import { canonicalName, renderName } from "./name.ts";
import { type Block, encodePem, readBlocks } from "./pem.ts";

export interface Crl {
  readonly summary: CrlSummary;
  readonly der: Buffer;
  readonly canonicalIssuer: string;
  readonly authority: AuthorityKey;
  readonly extensions: readonly Extension[];
  readonly signed: SignedParts;
  /**
   * Whether both dates have the form that RFC 5280 demands. Where a date has a fraction of a second, OpenSSL refuses
   * every certificate of the CA.
   */
  readonly hasExactDates: boolean;
  /** What is wrong with the CRL's issuingDistributionPoint, and what to do. */
  readonly scopeMistake: string | undefined;
  /** The revoked certificates inside {@link der}. Undefined when the CRL revokes nobody. */
  readonly revoked: Tlv | undefined;
}

/** What a signature check needs. Each part is a view into the CRL's bytes. */
export interface SignedParts {
  readonly tbs: Uint8Array;
  /** The AlgorithmIdentifiers outside and inside the signed part. Both must agree. */
  readonly algorithm: Uint8Array;
  readonly innerAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Crls {
  readonly crls: readonly Crl[];
  readonly diagnostics: readonly PkiDiagnostic[];
}

/**
 * Reads PEM (several blocks) or DER. Anything else in the file is reported as a problem that says what it is. A
 * certificate would become a trust anchor of httpd.
 */
export function readCrls(bytes: Buffer): Crls {
  const { blocks, diagnostics } = readBlocks(bytes, "a CRL");
  const crls: Crl[] = [];
  const problems: PkiDiagnostic[] = [...diagnostics];
  for (const block of blocks) {
    const place = block.line === undefined ? "" : `line ${block.line}: the block `;
    if (block.kind !== "crl") problems.push(problem(place + describeWrongKind(block.kind, "a CRL")));
    else collect(block, place, crls, problems);
  }
  return { crls, diagnostics: problems };
}

/** Adds the CRL of a block to `crls`, or the reason why it cannot be read to `problems`. */
function collect(block: Block, place: string, crls: Crl[], problems: PkiDiagnostic[]): void {
  try {
    crls.push(readCrl(block.der));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    problems.push(problem(`${place}is a CRL that cannot be read: ${error.message}; download it again`));
  }
}

/**
 * Reads one CRL from its DER. With `countsEntries: false`, no entry is read, and their number is 0. Throws
 * {@link DerError}.
 */
export function readCrl(der: Buffer, { countsEntries = true } = {}): Crl {
  const [tbs, algorithm, signature, ...rest] = children(der, readWhole(der));
  if (
    tbs?.tag !== derTag.sequence ||
    algorithm?.tag !== derTag.sequence ||
    signature?.tag !== derTag.bitString ||
    rest.length > 0
  ) {
    throw new DerError("its outer form is not that of a CRL");
  }
  const fields = readTbs(der, tbs);
  const extensions = fields.extensions ? readExtensions(der, fields.extensions) : [];
  const authority = readAuthority(extensions);
  const { mistake: scopeMistake, ...scope } = readIssuingPoint(extensions);
  return {
    der,
    extensions,
    authority,
    scopeMistake,
    hasExactDates: [fields.thisUpdate, fields.nextUpdate].every((date) => date === undefined || isExactTime(der, date)),
    revoked: fields.revoked,
    canonicalIssuer: canonicalName(der, fields.issuer),
    summary: {
      sha256: createHash("sha256").update(der).digest("hex"),
      issuer: renderName(der, fields.issuer),
      thisUpdate: readTime(der, fields.thisUpdate),
      nextUpdate: fields.nextUpdate && readTime(der, fields.nextUpdate),
      number: readCrlNumber(extensions),
      ...summaryKeyOf(authority),
      ...scope,
      entries: fields.revoked && countsEntries ? countEntries(der, fields.revoked) : 0,
    },
    // The first byte of a BIT STRING counts the unused bits. A signature has none.
    signed: {
      tbs: rawOf(der, tbs),
      algorithm: rawOf(der, algorithm),
      innerAlgorithm: rawOf(der, fields.algorithm),
      signature: contentOf(der, signature).subarray(1),
    },
  };
}

interface TbsParts {
  readonly algorithm: Tlv;
  readonly issuer: Tlv;
  readonly thisUpdate: Tlv;
  readonly nextUpdate: Tlv | undefined;
  readonly revoked: Tlv | undefined;
  readonly extensions: Tlv | undefined;
}

/**
 * Finds the parts of the signed part. Throws {@link DerError}. TBSCertList ::= SEQUENCE { version OPTIONAL, signature,
 * issuer, thisUpdate, nextUpdate OPTIONAL, revokedCertificates OPTIONAL, [0] extensions OPTIONAL }.
 */
function readTbs(der: Buffer, tbs: Tlv): TbsParts {
  const parts = children(der, tbs);
  // Takes the next part away where it is of the expected kind. A part of another kind means that an optional one is
  // missing.
  const take = (accepts: (tlv: Tlv) => boolean): Tlv | undefined =>
    parts[0] && accepts(parts[0]) ? parts.shift() : undefined;
  const isSequence = (tlv: Tlv): boolean => tlv.tag === derTag.sequence;
  take((tlv) => tlv.tag === derTag.integer); // The version is not needed.
  const algorithm = take(isSequence);
  const issuer = take(isSequence);
  const thisUpdate = take(isTime);
  const nextUpdate = take(isTime);
  const revoked = take(isSequence);
  const tagged = take((tlv) => tlv.tag === contextTag(0, true));
  if (!algorithm || !issuer || !thisUpdate || parts.length > 0) throw new DerError("its parts are not those of a CRL");
  const extensions = tagged && requireTlv(der, tagged.content, tagged.end, derTag.sequence, "the list of extensions");
  return { algorithm, issuer, thisUpdate, nextUpdate, revoked, extensions };
}

const summaryKeyOf = ({ key }: AuthorityKey): Pick<CrlSummary, "authorityKey"> =>
  key === undefined ? {} : { authorityKey: key };

/** The CRL number in decimal. Undefined where there is none. Throws {@link DerError}. */
function readCrlNumber(extensions: readonly Extension[]): string | undefined {
  const value = findExtension(extensions, extensionOid.crlNumber)?.value;
  return value && readInteger(value, readTlv(value, 0, value.length)).toString();
}

/** The text that is installed: each CRL is encoded anew, and nothing else of its file is kept. */
export const encodeCrls = (crls: readonly Crl[]): string => crls.map(({ der }) => encodePem("X509 CRL", der)).join("");
