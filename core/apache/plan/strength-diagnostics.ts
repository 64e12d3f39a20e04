/** Reports CA certificates that OpenSSL refuses at this host's security level (OpenSSL's errors 67 and 68). */
import { requiredBits } from "../../pki/strength.ts";
import type { CertificateSummary } from "../../pki/summary.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Desired, Facts } from "../model.ts";

/**
 * Finds the CAs that are too weak; none where the host's level is not known. A CA that is already installed only causes
 * a warning: to refuse it would change nothing.
 */
export function findWeakCas(desired: Desired, { own, server }: Facts): Diagnostic[] {
  const { securityLevel } = server;
  if (securityLevel === undefined) return [];
  const installed = new Set(own.ca.map(({ fingerprint }) => fingerprint));
  return desired.ca.certificates.flatMap((ca): Diagnostic[] => {
    const weakness = describeWeakness(ca, requiredBits(securityLevel));
    if (weakness === undefined) return [];
    const text = `${JSON.stringify(ca.subject)} has ${weakness}, and OpenSSL on this host asks for ${requiredBits(securityLevel)} (security level ${securityLevel}), so every certificate below it is refused; ask the issuer for its successor`;
    return [{ severity: installed.has(ca.fingerprint) ? "warning" : "problem", place: "caFiles", text }];
  });
}

/** What of the CA is too weak: its key, or the signature on its certificate. Undefined where neither is. */
function describeWeakness({ strength }: CertificateSummary, needed: number): string | undefined {
  if (strength === undefined) return undefined;
  const { keyBits, signatureBits } = strength;
  if (keyBits < needed) return `a key of ${keyBits} security bits`;
  return signatureBits !== undefined && signatureBits < needed
    ? `a signature of ${signatureBits} security bits`
    : undefined;
}
