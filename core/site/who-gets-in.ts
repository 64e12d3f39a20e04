/** Finds values that say who is let in and that are well-formed, but probably not meant. */
import type { Mistake } from "./issues.ts";
import { quote } from "./problem.ts";
import type { SiteClientAuth } from "./schema.ts";

/**
 * Warns of a site that lets everybody in. Organizational units alone restrict nothing: a certificate without one is let
 * in.
 */
export function findEverybody({ organizations, countries, issuers }: SiteClientAuth): Mistake[] {
  if (organizations.length > 0 || countries.length > 0 || issuers.length > 0) return [];
  const text =
    "names no organizations and no countries, so everybody whose certificate a CA of caFiles issued is let in; write those of your users, or issuers if all users of a CA are meant";
  return [{ path: ["clientAuth"], text }];
}

/** Warns of names such as `LTD` alone: YAML reads `[ABC CO., LTD]` without quotes as two names. */
export const findLoneCompanyForms = (clientAuth: SiteClientAuth): Mistake[] =>
  (["organizations", "organizationalUnits"] as const).flatMap((key) =>
    clientAuth[key].flatMap((name, i) =>
      companyForm.test(name)
        ? [{ path: ["clientAuth", key, i], text: `${quote(name)} alone is no company's name; ${remedy}` }]
        : [],
    ),
  );

const companyForm =
  /^(?:co\.?,? ?ltd|ltd|limited|inc|incorporated|co|corp|corporation|company|k\.?k|llc|llp|plc|gmbh|ag|s\.?a)\.?$|^(?:株式会社|有限会社|合同会社)$/i;

const remedy =
  'a comma in a list in brackets begins another name; write the whole name in quotes, such as "ABC CO., LTD"';
