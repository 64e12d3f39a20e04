/**
 * Diagnostics about unmanaged directives (which clientcert did not write): which conflict, which stay, and which come
 * back.
 */
import { findReturning } from "./adopt.ts";
import { hasKeyword } from "../facts/unmanaged-kinds.ts";
import type { UnmanagedDirective } from "../facts/unmanaged-model.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Desired, Facts } from "../model.ts";
import { isInForceElsewhere, judgeUnmanaged, type Verdict } from "./unmanaged-verdict.ts";

/** All diagnostics about unmanaged directives; a harmless directive has none. */
export function diagnoseUnmanaged(desired: Desired, facts: Facts): Diagnostic[] {
  if (facts.foreign.length + facts.adopted.length === 0) return [];
  const judge = judgeUnmanaged(desired, facts);
  const reported = facts.foreign.flatMap((directive) => report(desired, facts, directive, judge(directive)));
  return [...reportReturning(desired, facts), ...reported];
}

/** The diagnostics about one directive, which has this verdict. */
function report(desired: Desired, facts: Facts, directive: UnmanagedDirective, verdict: Verdict): Diagnostic[] {
  const place = `${directive.file}:${directive.line}`;
  const description = describe(directive);
  switch (verdict.is) {
    case "harmless":
      return [];
    case "reported":
      return [{ severity: verdict.severity, place, text: `${description} ${verdict.why}` }];
    case "overruled":
      return [reportOverruled(desired, directive, place, `${description} ${verdict.why}`)];
    case "forbidding":
      return [
        {
          severity: "conflict",
          place,
          text: `${description} ${verdict.why}; ${verdict.remedy}${orExclude(directive)}`,
        },
      ];
    case "removable":
      return reportRemovable(desired, facts, directive, `${description} ${verdict.why}`);
  }
}

/**
 * The advice to exclude the virtual host, for a directive inside one. A directive outside of every virtual host is in
 * force for all of them.
 */
const orExclude = ({ context }: UnmanagedDirective): string =>
  context.includes("VirtualHost") ? ", or list the virtual host under excludeVirtualHosts" : "";

/** Reports a directive over which our line wins: that happens only with `adopt`. */
function reportOverruled(
  { adopt }: Desired,
  directive: UnmanagedDirective,
  place: string,
  description: string,
): Diagnostic {
  return adopt
    ? {
        severity: "warning",
        place,
        text: `${description}; the line stays, and clientcert's own wins over it (adopt: true)`,
      }
    : {
        severity: "conflict",
        place,
        text: `${description}; change it, or set adopt: true to let clientcert's own line win over it${orExclude(directive)}`,
      };
}

/**
 * Reports a directive that has to go. With `adopt` it is commented out, except where it also applies to virtual hosts
 * that we do not cover. One that is commented out already is not reported.
 */
function reportRemovable(
  desired: Desired,
  facts: Facts,
  directive: UnmanagedDirective,
  description: string,
): Diagnostic[] {
  const place = `${directive.file}:${directive.line}`;
  if (isInForceElsewhere(desired, facts, directive)) {
    const text = `${description}; it also applies to virtual hosts that clientcert does not cover: move it into those`;
    return [{ severity: "conflict", place, text: `${text}, out of the covered ones` }];
  }
  if (directive.isAdopted === true) return [];
  if (desired.adopt) return [{ severity: "note", place, text: `${description}; ${adoption}` }];
  const text = `${description}; remove it, or set adopt: true to have it commented out${orExclude(directive)}`;
  return [{ severity: "conflict", place, text }];
}

const adoption = "it is commented out, and put back at removal";

/**
 * Reports the lines that the change brings back: one diagnostic for each physical line, because each line has its own
 * mark.
 */
function reportReturning(desired: Desired, facts: Facts): Diagnostic[] {
  const adopted = facts.foreign.filter(({ isAdopted }) => isAdopted === true);
  const names = new Map(
    adopted.flatMap((directive) =>
      directive.lineOffsets.map((offset) => [`${directive.file}:${offset}`, describe(directive)] as const),
    ),
  );
  return findReturning(desired, facts).map(({ file, line, offset }) => ({
    severity: "problem",
    place: `${file}:${line}`,
    text:
      `adopt commented ${names.get(`${file}:${offset}`) ?? "this line"} out, and it should be in effect: what it protected may be ` +
      "open to everybody until the next `pulumi up` puts it back; delete the line if it is to stay out",
    isMendedByChange: true,
  }));
}

/** Describes a directive by its name, its place and a keyword. The text of its line is never shown. */
function describe({ directive, context, kind, value }: UnmanagedDirective): string {
  const isSection = ["If", "ElseIf", "AuthzProviderAlias"].includes(directive);
  const name = isSection ? `<${directive}>` : kind === "satisfyAny" ? "Satisfy Any" : directive;
  const keyword = hasKeyword(kind) ? ` ${keywordOrOther(value)}` : "";
  const where = context.length === 0 ? "at server level" : `in ${context.map((section) => `<${section}>`).join(" ")}`;
  return `${name}${keyword} ${where}`;
}

/** The few values that are keywords of httpd. Any other value is the customer's and is not printed. */
const keywords = /^(none|optional|require|optional_no_ca|leaf|chain|on)$/;
const keywordOrOther = (value = ""): string => (keywords.test(value) ? value : "(other)");
