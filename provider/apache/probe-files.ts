/** Probe certificates as files for the program on hosts. Each has a private key that opens nothing. */
import { generateKeyPairSync } from "node:crypto";
import { encodePem } from "../../core/pki/pem.ts";
import { type ProbeMaterial, makeProbes } from "../../core/pki/probe.ts";

/**
 * The files by name, which is the id of the probe. Each file begins with lines for the host's program and ends with the
 * key and the certificate in PEM. The lines are `ca` with the CA's name, `role` with `users` or `other`, and `points`.
 * The word after `points` is `users` where the probe names the distribution points of a user's certificate, and
 * `guessed` otherwise.
 */
export function makeProbeFiles(material: ProbeMaterial): ReadonlyMap<string, Buffer> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const probes = makeProbes(material, publicKey.export({ type: "spki", format: "der" }));
  return new Map(
    probes.map(({ id, ca, der, issuesToUsers, hasUsersPoints }) => {
      const words = [
        `ca ${ca}`,
        `role ${issuesToUsers ? "users" : "other"}`,
        `points ${hasUsersPoints ? "users" : "guessed"}`,
      ];
      return [id, Buffer.from(`${words.join("\n")}\n${key}${encodePem("CERTIFICATE", der)}`)];
    }),
  );
}
