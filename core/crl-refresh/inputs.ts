/** CAs, CRLs and the refresh of CRLs: the one declaration of these inputs, of whatever kind the server is. */
import { z } from "zod";
import { findUrlMistake } from "../pki/crl-url.ts";
import type { CaBundle, CertificateSummary, CrlSummary } from "../pki/summary.ts";
import {
  type Parsed,
  absolutePath,
  checked,
  crlPathOrPem,
  filled,
  matching,
  pathOrPem,
  siteRelativePath,
} from "../schema-kinds.ts";
import { findTimeZoneMistake } from "./time-zone.ts";

/**
 * An object that the product has read from a file. `Summary` is its type; no person writes it, so no field is checked.
 */
const summary = <Summary extends object>() =>
  z.custom<Summary>(
    (value) => typeof value === "object" && value !== null,
    "write an object, as it is read from the file",
  );

const ca: z.ZodType<CaBundle, CaBundle> = z.looseObject({
  sha256: filled("the SHA-256 of the CA certificates"),
  certificates: z.array(summary<CertificateSummary>()),
});

const sha256 = matching(/^[0-9a-f]{64}$/, "the SHA-256 of a CRL in DER, 64 lower-case hexadecimal digits");
const timeOfDay = matching(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time from "00:00" to "23:59", in quotes, such as "06:30"');

/** A source as the site file has it; {@link crlInputs} adds its id. */
export const crlSource = z.strictObject({
  /** Addresses of one and the same CRL (http, https, ldap, ldaps), tried in this order. */
  urls: z
    .array(checked(findUrlMistake))
    .min(1)
    .describe("Addresses of one and the same CRL (http, https, ldap, ldaps), tried in this order."),
  /** CRL to begin with (PEM or DER), relative to the site file, until the first download works. */
  file: siteRelativePath
    .optional()
    .describe("CRL to begin with (PEM or DER), relative to the site file, until the first download works."),
});

const crlRefresh = z.strictObject({
  /** When to download, HH:MM, 1 to 24 times a day. Avoid midnight: issuers have their maintenance then. */
  times: z
    .array(timeOfDay)
    .min(1)
    .max(24)
    // Not at midnight, when issuers have their maintenance.
    .default(["00:30", "06:30", "12:30", "18:30"])
    .describe("When to download, HH:MM, 1 to 24 times a day. Avoid midnight: issuers have their maintenance then."),
  /** Time zone of times, such as Asia/Tokyo; the host's own when it is left out. */
  timeZone: checked(findTimeZoneMistake)
    .optional()
    .describe("Time zone of times, such as Asia/Tokyo; the host's own when it is left out."),
  /** Random delay in minutes, so that not all hosts ask at once. */
  spreadMinutes: z
    .int()
    .min(0)
    .max(120)
    .default(20)
    .describe("Random delay in minutes, so that not all hosts ask at once."),
  /** Warn when an installed CRL ends within this many hours. */
  alarmHours: z.int().min(1).max(720).default(24).describe("Warn when an installed CRL ends within this many hours."),
  /** File on the host, root's and mode 600, with one line: the URL of the proxy for downloads. */
  proxyFile: absolutePath("/etc/clientcert-proxy; the proxy's own address, which may hold a password, stands in there")
    .optional()
    .describe("File on the host, root's and mode 600, with one line: the URL of the proxy for downloads."),
});

/** When the host refreshes its CRLs, and how. */
export type CrlRefresh = Parsed<typeof crlRefresh>;
/** The defaults, for a site without crlRefresh. */
export const defaultCrlRefresh: CrlRefresh = crlRefresh.parse({});

/** Whom a site trusts, and how it learns of revocations. */
export const crlInputs = z.strictObject({
  /** CA certificates (PEM or DER) up to and including the root, relative to the site file. */
  caFiles: z
    .array(pathOrPem)
    .default([])
    .describe("CA certificates (PEM or DER) up to and including the root, relative to the site file."),
  /** The CA certificates of caFiles, with the SHA-256 of their PEM text as it is installed. */
  ca: ca.describe("The CA certificates of caFiles, with the SHA-256 of their PEM text as it is installed."),
  /**
   * CRLs (PEM or DER) that nothing renews, relative to the site file. No CRL at all: revoked certificates are accepted.
   */
  crlFiles: z
    .array(crlPathOrPem)
    .default([])
    .describe(
      "CRLs (PEM or DER) that nothing renews, relative to the site file. No CRL at all: revoked certificates are accepted.",
    ),
  /** What the CRLs of crlFiles, and the first lists of crlSources, say of themselves: one per CA and part. */
  crls: z
    .array(summary<CrlSummary>())
    .default([])
    .describe("What the CRLs of crlFiles, and the first lists of crlSources, say of themselves: one per CA and part."),
  /** SHA-256 of the PEM text of all CRLs as it is installed; empty without CRLs. */
  crlSha256: z
    .string()
    .default("")
    .describe("SHA-256 of the PEM text of all CRLs as it is installed; empty without CRLs."),
  /** leaf: users' certificates are checked; chain: the CAs too, which needs the CRL of every CA. */
  crlCheck: z
    .enum(["leaf", "chain"])
    .default("leaf")
    .describe("leaf: users' certificates are checked; chain: the CAs too, which needs the CRL of every CA."),
  /** CRLs that each host downloads by itself, one entry for each CA. They stay current without a deployment. */
  crlSources: z
    .array(
      crlSource.extend({
        /** CRL to begin with (PEM or DER), relative to the site file, until the first download works. */
        file: pathOrPem.optional().describe(crlSource.shape.file.description ?? ""),
        /** First 8 hexadecimal digits of the SHA-256 of urls, joined by line ends. */
        id: filled("the first 8 digits of the SHA-256 of urls").describe(
          "First 8 hexadecimal digits of the SHA-256 of urls, joined by line ends.",
        ),
      }),
    )
    .default([])
    .describe(
      "CRLs that each host downloads by itself, one entry for each CA. They stay current without a deployment.",
    ),
  /** When and how the hosts download the CRLs of crlSources. */
  crlRefresh: crlRefresh.describe("When and how the hosts download the CRLs of crlSources.").prefault({}),
  /**
   * CRLs that may take the place of one with a higher number and an earlier date, by SHA-256: for a CA that has begun
   * its numbers anew.
   */
  acceptOlderCrls: z
    .array(sha256)
    .default([])
    .describe(
      "CRLs that may take the place of one with a higher number and an earlier date, by SHA-256: for a CA that has begun its numbers anew.",
    ),
  /** A user's certificate that every new CRL must go on accepting. */
  sample: z
    .strictObject({
      /** SHA-256 of its PEM text, as it is installed. */
      sha256: filled("the SHA-256 of its PEM text").describe("SHA-256 of its PEM text, as it is installed."),
      /** Whose it is. */
      subject: z.string().describe("Whose it is."),
      /** Its file, relative to the site file. */
      file: pathOrPem.describe("Its file, relative to the site file."),
    })
    .optional()
    .describe("A user's certificate that every new CRL must go on accepting."),
});

/** A user's certificate that every new CRL must go on accepting. */
export type SampleCertificateInput = NonNullable<Parsed<typeof crlInputs>["sample"]>;
/** A source, which delivers one CRL of one key of a CA. */
export type CrlSource = Parsed<typeof crlInputs>["crlSources"][number];
