import assert from "node:assert/strict";
import { request, type WireRequest } from "../../lab/client.ts";
import { virtualHostName } from "../../lab/product.ts";
import { needPhp } from "./php.ts";
import { startSession, type Session } from "./session.ts";

const documentRoot = "/usr/local/ni/apache/htdocs";

/** Each option has a page on which only it makes a difference, as a holder of a good certificate sees it. */
const options = ["ExportCertData", "FakeBasicAuth", "StrictRequire", "OptRenegotiate"] as const;
type Option = (typeof options)[number];

/** By folder: what makes the difference, below every place. */
const pages = `<LocationMatch "/(FakeBasicAuth|StrictRequire)/">
    AuthType Basic
    AuthName lab
    AuthUserFile ${documentRoot}/.htusers
    Require valid-user
</LocationMatch>
<LocationMatch "/StrictRequire/">
    Satisfy Any
    SSLRequire false
</LocationMatch>
<LocationMatch "/OptRenegotiate/">
    SSLCipherSuite HIGH:!MD5:!RC4:!3DES:!PSK
</LocationMatch>
`;
const modules = ["auth_basic", "authn_file"].map((name) => `LoadModule ${name}_module modules/mod_${name}.so\n`);

/** The password of both: what mod_ssl gives to the holder of a certificate, and one that the request brings itself. */
const users = ["/C=JP/O=ABC CORPORATION/CN=good client", "user"].map(
  (name) => `${name}:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`,
);

const wishes: Readonly<Record<Option, WireRequest>> = {
  ExportCertData: {},
  FakeBasicAuth: {},
  StrictRequire: { login: "user:password" },
  OptRenegotiate: { tlsVersion: "TLSv1.2", refusesRenegotiation: true },
};

/** What the page says where the option is on, and where it is off. */
const seen: Readonly<Record<Option, { readonly on: RegExp; readonly off: RegExp }>> = {
  ExportCertData: { on: /^200 .*certificate=[1-9]/s, off: /^200 .*certificate=0$/ms },
  FakeBasicAuth: { on: /^200 .*user=\/C=JP\/O=ABC CORPORATION\/CN=good client$/ms, off: /^401 / },
  StrictRequire: { on: /^403 /, off: /^200 / },
  OptRenegotiate: { on: /^200 /, off: /^(403|refused) / },
};

async function ask(session: Session, { name, option, host }: Place): Promise<string> {
  const wish = {
    servername: virtualHostName(host),
    path: `/${name}/${option}/${name}.php`,
    certificate: "good",
  } as const;
  const { outcome, body } = await request(session.lab, { ...wish, ...wishes[option] });
  return `${outcome} ${body}`;
}

/**
 * Where one option stands: `name` is a folder of the document root and a page in it, `host` the number of the virtual
 * host.
 */
interface Place {
  readonly name: string;
  readonly option: Option;
  readonly host: number;
  readonly directives: string;
}

const signs = [
  ["signed", "+"],
  ["unsigned", ""],
] as const;
const levels = ["virtual host", "directory", "location", "files"] as const;
/** After those that have the options themselves. */
const sectionsHost = signs.length * options.length + 1;

const places = signs.flatMap(([words, sign], first) =>
  options.flatMap((option, second) =>
    levels.map((level): Place => {
      const name = `${level} ${words} ${option}`.replaceAll(" ", "-");
      const host = level === "virtual host" ? first * options.length + second + 1 : sectionsHost;
      return { name, option, host, directives: placed(level, name, `SSLOptions ${sign}${option}`) };
    }),
  ),
);
/** Where the options are off, so that each difference can be seen. */
const offPlaces = options.map((option): Place => ({ name: "off", option, host: sectionsHost, directives: "" }));

function placed(level: (typeof levels)[number], name: string, line: string): string {
  switch (level) {
    case "virtual host":
      return `${line}\n`;
    case "directory":
      return `<Directory "${documentRoot}/${name}">\n    ${line}\n</Directory>\n`;
    case "location":
      return `<Location "/${name}">\n    ${line}\n</Location>\n`;
    case "files":
      return `<Files "${name}.php">\n    ${line}\n</Files>\n`;
  }
}

async function startWith(places: readonly Place[], serverDirectives = "", more = ""): Promise<Session> {
  const session = await startSession({
    php: { version: "8.2" },
    virtualHosts: Math.max(...places.map(({ host }) => host)),
    serverDirectives: modules.join("") + serverDirectives,
    virtualHostDirectives: (number) =>
      pages + places.map(({ host, directives }) => (host === number ? directives : "")).join("") + more,
  });
  const copies = places.map(({ name, option }) => {
    return `mkdir -p ${name}/${option} && cp switch.php ${name}/${option}/${name}.php`;
  });
  await session.lab.run(
    `cd ${documentRoot} && cat >.htusers\nmkdir less && cp switch.php less\n${copies.join("\n")}`,
    users.join(""),
  );
  assert.equal((await session.apply()).result, "applied");
  return session;
}

describe("SSLOptions of the customer's own", function () {
  this.timeout(120_000);
  let session: Session;
  /** The last word on the variables is said in `<If>`, which httpd merges after every `<Location>`. */
  const conditions = `<If "%{QUERY_STRING} == 'minus'">
    SSLOptions -StdEnvVars
</If>
<If "%{QUERY_STRING} == 'other'">
    SSLOptions StrictRequire
</If>
<Location "/less">
    SSLOptions -StdEnvVars
</Location>
`;

  before(async function () {
    await needPhp(this, "8.2");
    session = await startWith([...places, ...offPlaces], "", conditions);
  });
  after(() => session?.stop());

  for (const place of offPlaces) {
    it(`make no difference where they are not: ${place.option}`, async () => {
      assert.match(await ask(session, place), seen[place.option].off);
    });
  }

  for (const place of places) {
    it(`keep their effect: ${place.name.replaceAll("-", " ")}`, async () => {
      assert.match(await ask(session, place), seen[place.option].on);
    });
  }

  it("win over ours in <If>, so that PHP sees no certificate", async () => {
    for (const [query, verify] of [
      ["", "SUCCESS"],
      ["?minus", ""],
      ["?other", ""],
    ]) {
      const { body } = await request(session.lab, { path: `/switch.php${query}`, certificate: "good" });
      assert.match(body, new RegExp(`^verify=${verify}$`, "m"), query);
    }
  });

  it("lose to ours in <Location> where they keep the variables from PHP", async () => {
    const { body } = await request(session.lab, { path: "/less/switch.php", certificate: "good" });
    assert.match(body, /^verify=SUCCESS$/m);
  });
});

/** httpd takes the last of several options without a sign, so only the first one here has none. */
const atServerLevel = [
  ["with signs", "SSLOptions +ExportCertData +FakeBasicAuth +StrictRequire +OptRenegotiate"],
  ["the first without", "SSLOptions ExportCertData +FakeBasicAuth +StrictRequire +OptRenegotiate"],
] as const;

for (const [words, line] of atServerLevel) {
  describe(`SSLOptions of the customer's own at the server level, ${words}`, function () {
    this.timeout(120_000);
    let session: Session;
    const onServer = options.map((option): Place => ({ name: "server", option, host: 1, directives: "" }));

    before(async function () {
      await needPhp(this, "8.2");
      session = await startWith(onServer, line);
    });
    after(() => session?.stop());

    for (const place of onServer) {
      it(`keep their effect: ${place.option}`, async () => {
        assert.match(await ask(session, place), seen[place.option].on);
      });
    }
  });
}
