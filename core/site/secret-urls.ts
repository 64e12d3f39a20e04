/**
 * Finds addresses of CRLs that contain a secret. Addresses are stored in Pulumi's state and in files of the hosts, and
 * appear in messages.
 */
import type { Mistake } from "./issues.ts";
import type { SiteClientAuth } from "./schema.ts";

/**
 * Warns of addresses with a parameter whose name is one of a secret. Such a parameter may be harmless, so this is only
 * a warning. Another check refuses a user name or a password before the server's name.
 */
export const findSecretUrls = ({ crlSources }: Pick<SiteClientAuth, "crlSources">): Mistake[] =>
  crlSources.flatMap(({ urls }, i) =>
    urls.flatMap((url, j) => {
      const name = findSecretParameter(url);
      if (name === undefined) return [];
      const text = `the address has the parameter ${name}, which looks like a secret, and addresses stand in Pulumi's state and on the hosts; write an address without it, since everybody may read a CRL`;
      return [{ path: ["clientAuth", "crlSources", i, "urls", j], text }];
    }),
  );

/** Short words must be the whole name or its last word, such as `x-sig`. Long words may end any name. */
const secretName =
  /^(?:[a-z0-9-]*[-_.])?(?:sig|key|pass|pwd|auth|sas)$|(?:token|signature|password|passwd|secret|api_?key|access_?key|credentials?)$/i;

/**
 * Finds the first parameter that looks like a secret and is not empty. Returns only its name: its value is never
 * repeated. A name of more than 40 characters is not repeated either, and does not count.
 */
function findSecretParameter(url: string): string | undefined {
  const [, ...parameters] = url.split(/[?&;]/);
  const names = parameters.flatMap((parameter) => /^([\w.-]+)=./.exec(parameter)?.[1] ?? []);
  return names.find((name) => name.length <= 40 && secretName.test(name));
}
