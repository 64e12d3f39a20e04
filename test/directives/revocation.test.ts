/** Revocation that is there already: lists of CRLs, and OCSP. */
import { lines, optional, siteCas } from "./lines.ts";
import { conflict, open, takenOut, untilAdopt } from "./row.ts";
import { testRows } from "./run-rows.ts";

const base = lines(optional, siteCas);
const leaf = "SSLCARevocationCheck leaf";
const siteList = "SSLCARevocationFile conf/theirs/site-crl.pem";
const bothLists = "SSLCARevocationFile conf/theirs/chain-crl.pem";
const path = "SSLCARevocationPath conf/theirs/crl.d";
const revoked = { "/": "200 200 refused" };
const withoutLists = { crlPem: null };

testRows("Lists of revoked certificates: SSLCARevocationFile, -Path and -Check (third client: one that is revoked)", [
  {
    name: "`SSLCARevocationCheck leaf` with the list of a CA of which the site has a list",
    covered: lines(base, leaf, siteList),
    theirs: "revoked",
    before: revoked,
  },
  {
    name: "a list without SSLCARevocationCheck, as in the vendor's manual",
    covered: lines(base, siteList),
    theirs: "revoked",
    before: open("/"),
    after: revoked,
  },
  {
    name: "`SSLCARevocationCheck leaf` with a list of a CA of the site, which has no list itself",
    covered: lines(base, leaf, siteList),
    theirs: "revoked",
    wish: () => withoutLists,
    findings: [conflict(siteList, "Lab Issuing CA")],
    before: revoked,
  },
  {
    name: "the same at server level",
    server: lines(base, leaf, siteList),
    theirs: "revoked",
    wish: () => withoutLists,
    findings: [conflict(siteList, "Lab Issuing CA")],
    before: revoked,
    onOther: revoked,
  },
  {
    name: "`SSLCARevocationCheck leaf` with a list at server level, `none` in the virtual host; the site has no list",
    server: lines(base, leaf, siteList),
    covered: "SSLCARevocationCheck none",
    theirs: "revoked",
    wish: () => withoutLists,
    before: open("/"),
    onOther: revoked,
  },
  {
    name: "`SSLCARevocationCheck chain`; the site has all those lists and `leaf`",
    covered: lines(base, "SSLCARevocationCheck chain", bothLists),
    theirs: "revoked",
    wish: async (pki) => ({ crlPem: (await pki.crl()) + (await pki.crl({ ca: "root" })) }),
    findings: [untilAdopt("SSLCARevocationCheck chain")],
    before: revoked,
  },
  {
    name: "`SSLCARevocationCheck chain`; the site lacks the list of the root CA",
    covered: lines(base, "SSLCARevocationCheck chain", bothLists),
    theirs: "revoked",
    findings: [untilAdopt("SSLCARevocationCheck chain"), conflict(bothLists, "Lab Root CA")],
    before: revoked,
  },
  {
    name: "`SSLCARevocationPath` in the virtual host",
    covered: lines(base, leaf, path),
    theirs: "revoked",
    findings: [takenOut(path)],
    before: revoked,
  },
  {
    name: "`SSLCARevocationPath` at server level",
    server: lines(base, leaf, path),
    theirs: "revoked",
    findings: [conflict(path)],
    before: revoked,
    onOther: revoked,
  },
  {
    name: "`SSLCARevocationPath` in a file that both ports' virtual hosts include",
    both: lines(base, leaf, path),
    theirs: "revoked",
    findings: [conflict(path)],
    before: revoked,
    onOther: revoked,
  },
]);

const on = "SSLOCSPEnable on";
/** No certificate of the site names a responder, so that nobody is let in. */
const nobody = { "/": "200 refused refused" };

testRows("Questions about revocation: SSLOCSPEnable", [
  {
    name: "`SSLOCSPEnable on` in the virtual host; the site has a list",
    covered: lines(base, on),
    isWholeSite: true,
    findings: [takenOut(on)],
    before: nobody,
    after: revoked,
  },
  {
    name: "`SSLOCSPEnable leaf` in the virtual host; the site has a list",
    covered: lines(base, "SSLOCSPEnable leaf"),
    isWholeSite: true,
    findings: [takenOut("SSLOCSPEnable leaf")],
    before: nobody,
    after: revoked,
  },
  {
    name: "`SSLOCSPEnable on` in the virtual host, which asks for no certificate yet; the site has a list",
    covered: on,
    findings: [takenOut(on)],
    before: open("/"),
    after: revoked,
  },
  {
    name: "`SSLOCSPEnable on` in the virtual host; the site has no list",
    covered: lines(base, on),
    wish: () => withoutLists,
    findings: [conflict(on)],
    before: nobody,
  },
  { name: "`SSLOCSPEnable off` in the virtual host", covered: lines(base, "SSLOCSPEnable off"), before: revoked },
  {
    name: "`SSLOCSPEnable on` at server level, and `off` in the virtual host",
    server: lines(base, on),
    covered: "SSLOCSPEnable off",
    before: revoked,
    onOther: nobody,
  },
  {
    name: "`SSLOCSPEnable on` at server level",
    server: lines(base, on),
    findings: [conflict(on)],
    before: nobody,
    onOther: nobody,
  },
  {
    name: "`SSLOCSPEnable on` in a file that both ports' virtual hosts include",
    both: lines(base, on),
    findings: [conflict(on)],
    before: nobody,
    onOther: nobody,
  },
]);
