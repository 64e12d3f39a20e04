/** Rules for the whole site that ours cannot override: `adopt` takes them out where no other port needs them. */
import { lines, optional, siteCas, within } from "./lines.ts";
import { conflict, open, takenOut, type Row } from "./row.ts";
import { testRows } from "./run-rows.ts";

const base = lines(optional, siteCas);
const asked = { "/": "200 200 refused" };
const rule = 'SSLRequire %{SSL_CLIENT_S_DN_O} in {"OTHER CORPORATION",""}';
const ruled = { theirs: "wrongOrganization", isWholeSite: true, before: { "/": "200 403 200" } } as const;
const satisfied = { theirs: "wrongOrganization", before: open("/") } as const;

testRows("The whole site's rule: SSLRequire and Satisfy in `<Location />` (third client: another organization)", [
  {
    ...ruled,
    name: "`SSLRequire` in the virtual host's `<Location />`",
    covered: lines(base, within("Location /", rule)),
    findings: [takenOut(rule)],
    after: { "/": "200 200 403" },
  },
  {
    ...ruled,
    name: "`SSLRequire` in `<Location />` at server level",
    server: lines(base, within("Location /", rule)),
    findings: [conflict(rule)],
    onOther: ruled.before,
  },
  {
    ...ruled,
    name: "`SSLRequire` in `<Location />` of a file that both ports' virtual hosts include",
    both: lines(base, within("Location /", rule)),
    findings: [conflict(rule)],
    onOther: ruled.before,
  },
  {
    ...satisfied,
    name: "`Satisfy Any` in the virtual host's `<Location />`",
    covered: lines(base, within("Location /", "Satisfy Any")),
    findings: [takenOut("Satisfy Any")],
    after: { "/": "200 200 403" },
  },
  {
    ...satisfied,
    name: "`Satisfy Any` in `<Location />` at server level",
    server: within("Location /", "Satisfy Any"),
    covered: base,
    findings: [conflict("Satisfy Any")],
  },
  {
    ...satisfied,
    name: "`Satisfy All` in the virtual host's `<Location />`",
    covered: lines(base, within("Location /", "Satisfy All")),
    after: { "/": "200 200 403" },
  },
]);

const verify = "SSLVerifyClient require";
const verified = { "/": ["refused 200 refused", "403 403 403"] } as const;

testRows("A certificate that the whole site requires: SSLVerifyClient in `<Location />`", [
  {
    name: "`SSLVerifyClient require` in the virtual host's `<Location />`, with the site's CAs",
    covered: lines(siteCas, within("Location /", verify)),
    findings: [takenOut(verify)],
    isWholeSite: true,
    before: verified,
    after: asked,
  },
  {
    name: "`SSLVerifyClient require` in `<Location />` at server level, with the site's CAs",
    server: lines(siteCas, within("Location /", verify)),
    findings: [conflict(verify)],
    before: verified,
    onOther: verified,
  },
]);

const caPath = "SSLCACertificatePath conf/theirs/ca.d";
const names = "SSLCADNRequestFile conf/theirs/foreign.pem";
const namesPath = "SSLCADNRequestPath conf/theirs/ca.d";

/** Rows of a directive that ours does not override: in the virtual host, at server level, and in a file of both. */
const threePlaces = (line: string, more: Pick<Row, "before" | "after" | "isWholeSite">, around: string): Row[] => {
  const name = `\`${line.split(" ")[0] ?? ""}\``;
  const { after: _, ...refused } = more;
  return [
    { ...more, name: `${name} in the virtual host`, covered: lines(around, line), findings: [takenOut(line)] },
    {
      ...refused,
      name: `${name} at server level`,
      server: lines(around, line),
      findings: [conflict(line)],
      onOther: more.before,
    },
    {
      ...refused,
      name: `${name} in a file that both ports' virtual hosts include`,
      both: lines(around, line),
      findings: [conflict(line)],
      onOther: more.before,
    },
  ];
};

testRows("More CAs: SSLCACertificatePath, SSLCADNRequestFile and -Path", [
  ...threePlaces(caPath, { before: { "/": "200 refused 200" }, after: asked, isWholeSite: true }, optional),
  ...threePlaces(names, { before: asked }, base),
  ...threePlaces(namesPath, { before: asked }, base),
]);
