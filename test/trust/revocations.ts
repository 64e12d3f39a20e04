/** Columns of the grid: the CRLs of a site, and the certificates of its users. */
import { readCertificate } from "../../core/pki/certificate.ts";
import {
  type CrlWishes,
  type Made,
  authorityKey,
  crlPoints,
  days,
  der,
  extension,
  integer,
  keyUsage,
  makeCertificate,
  makeCrl,
  name,
  oid,
  seq,
  time,
  uri,
} from "../fixtures/pki.ts";
import { type Authorities, keyNamed, namedIn } from "./authorities.ts";

const address = "http://crl.example.jp/1.crl";
const otherAddress = "http://crl.example.jp/2.crl";

const idp = (...parts: readonly Buffer[]): Buffer => extension("2.5.29.28", seq(...parts), true);
const point = (url: string): Buffer => der(0xa0, der(0xa0, uri(url)));
const flag = (tag: number): Buffer => der(tag, Buffer.from([0xff]));
const revokedSerial = 666n;
const serialOf = (ca: Made): bigint => BigInt(`0x${readCertificate(ca.der).serial}`);

const makeStranger = (): Made => makeCertificate({ subject: name(["CN", "Stranger"]), key: keyNamed("nobody") });

/** Plain CRLs of the CAs above, which `chain` needs. */
const ofAbove = ({ above }: Authorities): Buffer[] => above.map((ca) => makeCrl(ca));
/** One of the issuing CA, with theirs. */
const own =
  (wishes: CrlWishes) =>
  (cas: Authorities): Buffer[] => [makeCrl(cas.issuing, { revoked: [revokedSerial], ...wishes }), ...ofAbove(cas)];

export const crlSets: Readonly<Record<string, (cas: Authorities) => readonly Buffer[]>> = {
  none: () => [],
  "one of each CA": own({}),
  "of the issuing CA only": ({ issuing }) => [makeCrl(issuing, { revoked: [revokedSerial] })],
  "of the CAs above only": ofAbove,
  expired: own({ thisUpdate: days(-20), nextUpdate: days(-1) }),
  "of tomorrow": own({ thisUpdate: days(1) }),
  "without an end": own({ nextUpdate: null }),
  "by another key": own({ key: keyNamed("nobody") }),
  "names its key": (cas) => own({ extensions: [authorityKey(cas.issuing.key)] })(cas),
  "names another key": own({ extensions: [authorityKey(keyNamed("nobody"))] }),
  "names its certificate": (cas) => own({ extensions: [namedIn(cas, serialOf(cas.issuing))] })(cas),
  "names another certificate": (cas) => own({ extensions: [namedIn(cas, 424242n)] })(cas),
  "names its certificate, its issuer wrongly": (cas) => [
    makeCrl(cas.issuing, { extensions: [namedIn({ ...cas, above: [makeStranger()] }, serialOf(cas.issuing))] }),
    ...ofAbove(cas),
  ],
  "an end with a fraction": own({ nextUpdate: der(0x18, Buffer.from("20300101000000.5Z")) }),
  "an entry with a critical extension": own({
    entries: [seq(integer(4711n), time(days(-1)), seq(extension("1.2.3.4.5", der(0x05), true)))],
  }),
  "for other CAs' certificates": own({ extensions: [idp(flag(0x84))] }),
  "for attributes only": own({ extensions: [idp(flag(0x85))] }),
  "for CAs only": own({ extensions: [idp(flag(0x82))] }),
  "for users only": own({ extensions: [idp(flag(0x81))] }),
  "for some reasons": own({ extensions: [idp(der(0x83, Buffer.from([6, 0x40])))] }),
  "for one address": own({ extensions: [idp(point(address))] }),
  "for two addresses, two CRLs": (cas) => [
    makeCrl(cas.issuing, { extensions: [idp(point(address))] }),
    makeCrl(cas.issuing, { extensions: [idp(point(otherAddress))], revoked: [revokedSerial] }),
    ...ofAbove(cas),
  ],
  "for all, and newer for one address": (cas) => [
    makeCrl(cas.issuing, { thisUpdate: days(-3) }),
    makeCrl(cas.issuing, { extensions: [idp(point(address))], number: 2n, revoked: [revokedSerial] }),
    ...ofAbove(cas),
  ],
  "a delta": own({ extensions: [extension("2.5.29.27", der(0x02, Buffer.from([1])), true)] }),
  "a critical extension": own({ extensions: [extension("1.2.3.4.5", der(0x05), true)] }),
  "for CAs above: for CAs only": (cas) => [
    makeCrl(cas.issuing, { revoked: [revokedSerial] }),
    ...cas.above.map((ca) => makeCrl(ca, { extensions: [idp(flag(0x82))] })),
  ],
};

const client = extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.2")));
const server = extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.1")));
const pointFor = (url: string): Buffer => crlPoints([url]);
const netscapeServer = extension("2.16.840.1.113730.1.1", der(0x03, Buffer.from([0, 0x40])));
const reasons = extension("2.5.29.31", seq(seq(point(address), der(0x81, Buffer.from([6, 0x40])))));

interface Holder {
  readonly extensions: readonly Buffer[];
  readonly serial?: bigint;
  readonly notBefore?: Date;
  readonly notAfter?: Date | Buffer;
  /** Serial number of the CA's certificate that it names. */
  readonly named?: bigint;
}

const holderWishes: Readonly<Record<string, Holder>> = {
  good: { extensions: [keyUsage(0x80), client] },
  "good, and names the address": { extensions: [keyUsage(0x80), client, pointFor(address)] },
  "good, and names another address": { extensions: [client, pointFor("http://crl.example.jp/9.crl")] },
  "good, and says nothing": { extensions: [] },
  "good, for key agreement only": { extensions: [keyUsage(0x08), client] },
  revoked: { extensions: [client], serial: revokedSerial },
  "revoked, and names the address": { extensions: [client, pointFor(address)], serial: revokedSerial },
  "for servers": { extensions: [server] },
  "may only encipher": { extensions: [keyUsage(0x20), client] },
  "names the address for some reasons": { extensions: [client, reasons] },
  "has an unknown critical extension": { extensions: [client, extension("1.2.3.4.5", der(0x05), true)] },
  "is for servers by Netscape's type": { extensions: [client, netscapeServer] },
  "names another certificate of its CA": { extensions: [client], named: 424242n },
  "is valid from tomorrow": { extensions: [client], notBefore: days(1) },
  "ends with a fraction": { extensions: [client], notAfter: der(0x18, Buffer.from("20300101000000.5Z")) },
  "has expired": { extensions: [client], notAfter: days(-1) },
};

export const holderNames: readonly string[] = Object.keys(holderWishes);

/** A user of the issuing CA. */
export function makeHolder(called: string, cas: Authorities): Made {
  const { issuing } = cas;
  const { extensions, serial = 1234n, named, ...dates } = holderWishes[called] ?? { extensions: [] };
  // As its CA does in its own certificate, which has an identifier or none.
  const hasIdentifier = readCertificate(issuing.der).subjectKey !== undefined;
  const identifier = hasIdentifier ? [authorityKey(issuing.key)] : [];
  return makeCertificate({
    ...{ subject: name(["C", "JP"], ["O", "Harbour"], ["CN", "User"]), issuer: issuing, serial, ...dates },
    key: keyNamed("user"),
    extensions: [...extensions, ...(named === undefined ? identifier : [namedIn(cas, named)])],
  });
}
