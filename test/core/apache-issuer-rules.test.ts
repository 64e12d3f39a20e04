/** Rules of others on certificates: which are seen, and which ask for an issuer on every way through. */
import assert from "node:assert/strict";
import { readKind } from "../../core/apache/facts/unmanaged-kinds.ts";
import { requiresIssuer } from "../../core/apache/facts/issuer-rules.ts";
import { readWords } from "../../core/apache/config/arguments.ts";

const isOld = '%{SSL_CLIENT_I_DN_CN} eq "Old CA"';
const isAdmin = '%{SSL_CLIENT_S_DN_CN} eq "admin"';

const rules: readonly (readonly [expression: string, isAsked: boolean])[] = [
  [isOld, true],
  [`${isOld} and (${isAdmin} or %{SSL_CLIENT_S_DN_OU} eq "b")`, true],
  [`(${isOld} or %{SSL_CLIENT_I_DN_CN} in {"x", "y"}) and %{SSL_CLIENT_S_DN_C} ne "JP"`, true],
  ["((%{SSL_CLIENT_I_DN_CN} =~ m/^Old CA$/))", true],
  [`expr ${isAdmin} && %{SSL_CLIENT_I_DN_O} == 'Old'`, true],
  [isAdmin, false],
  [`${isOld} or ${isAdmin}`, false],
  [`(${isOld} && %{REMOTE_ADDR} eq "::1") || ${isAdmin}`, false],
  [`(${isOld} or ${isAdmin}) and %{SSL_CLIENT_S_DN_C} eq "JP"`, false],
  [`%{SSL_CLIENT_I_DN_CN} ne "Bad CA" and ${isAdmin}`, false],
  ['%{SSL_CLIENT_I_DN_CN} != "Bad CA"', false],
  [`not ${isOld}`, false],
  [`!(${isOld})`, false],
  [`(${isOld}) or (${isAdmin})`, false],
];

describe("a rule of others that names an issuer", () => {
  for (const [expression, isAsked] of rules)
    it(`lets in ${isAsked ? "nobody of other CAs" : "holders of other CAs, too"}: ${expression}`, () => {
      assert.equal(requiresIssuer(readWords(expression)), isAsked);
    });
});

describe("an expression of thousands of parentheses", () => {
  it("counts as not understood, and is no error", () => {
    const nested = (depth: number): string => `${"(".repeat(depth)}%{SSL_CLIENT_I_DN} == 'x'${")".repeat(depth)}`;
    assert.equal(requiresIssuer([nested(900)]), true);
    assert.equal(requiresIssuer([nested(100_000)]), false);
  });
});

describe("a rule of others on certificates", () => {
  for (const [line, isSeen] of [
    ["Require ssl-verify-client", true],
    ["Require valid-user", false],
    ["RewriteCond %{SSL:SSL_CLIENT_VERIFY} !=SUCCESS", true],
    ["RewriteRule ^ - [E=V:%{SSL:SSL_CLIENT_VERIFY}]", true],
    ["RewriteRule ^/a /b [E=V:%{SSL:SSL_PROTOCOL}]", false],
    [`Require expr "'x' in PeerExtList('2.5.29.99')"`, true],
    [`AuthzProviderAlias ssl-verify-client holder ""`, true],
    [`AuthzProviderAlias ldap-group staff "cn=staff"`, false],
  ] as const)
    it(`${isSeen ? "is seen" : "is none"}: ${line}`, () => {
      const [name = "", ...words] = readWords(line);
      const kind = readKind(name.toLowerCase(), words)?.kind;
      assert.equal(kind, isSeen ? "certificateRule" : undefined);
    });
});
