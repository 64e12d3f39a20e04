import assert from "node:assert/strict";
import { clientAuth } from "../../provider/apache.ts";
import type { Context, Resource } from "../../provider/engine/resource.ts";
import { useClientAuth } from "./client-auth.ts";
import { downText } from "./scripted-host.ts";

describe("What the engine is told, on a host in memory", () => {
  const suite = useClientAuth();

  /** What the engine is told of one call. */
  async function told(
    call: (resource: Resource, context: Context) => Promise<unknown>,
    preview = false,
    isTold: (line: string) => boolean = (line) => !line.startsWith("info"),
  ): Promise<string[]> {
    const lines: string[] = [];
    const log: Context["log"] = (severity, text) => lines.push(`${severity}: ${text}`);
    const { urn } = suite.client;
    const { signal } = new AbortController();
    await call(clientAuth(suite.host), { urn, preview, signal, progress: () => undefined, log });
    return lines.filter(isTold);
  }

  it("shows in the first preview what would run on the host, when, and from where it would download", async () => {
    const sources = "  crlSources: [{ urls: [http://crl.lab.test/issuing.crl], file: issuing.crl }]";
    const { inputs } = await suite.client.check(await suite.site.inputsWith(sources));
    const lines = await told(
      (resource, context) => resource.create({ inputs }, context),
      true,
      () => true,
    );
    const shown = lines.find((line) => line.includes("would be written")) ?? "";
    assert.match(shown, /\.timer\n[\s\S]*OnCalendar=\*-\*-\* 00:30:00/);
    assert.match(shown, /refresh\.conf\n[\s\S]* url http:\/\/crl\.lab\.test\/issuing\.crl/);
  });

  it("names a source that gave nothing, once, in a preview and in the change itself", async () => {
    suite.host.published = undefined;
    const { inputs } = await suite.client.check(
      await suite.site.inputsWith("  crlSources: [{ urls: [http://crl.lab.test/issuing.crl], file: issuing.crl }]"),
    );
    for (const preview of [true, false]) {
      const lines = await told((resource, context) => resource.create({ inputs }, context), preview);
      assert.deepEqual(lines, [`warning: 10.0.0.10: ${downText}`]);
    }
  });

  it("warns of a host whose clock is off by more than 5 minutes, both ways", async () => {
    const state = await suite.created();
    const now = Math.floor(Date.now() / 1000);
    const offsets = { "-420": /7 minutes behind/, "-240": undefined, 240: undefined, 420: /7 minutes ahead of/ };
    for (const [seconds, words] of Object.entries(offsets)) {
      suite.host.nowSeconds = now + Number(seconds);
      const lines = await told((resource, context) => resource.read(state, context));
      if (words === undefined) assert.deepEqual(lines, [], seconds);
      else assert.match(lines.join(), words, seconds);
    }
  });

  it("gives the reasons why a change of the port would be refused, in its preview", async () => {
    const state = await suite.created();
    const { inputs } = await suite.client.check({ ...suite.site.inputs, port: 8443 }, state.inputs);
    const change = { ...{ id: state.id, oldInputs: state.inputs, oldOutputs: state.outputs }, inputs };
    const lines = await told((resource, context) => resource.update(change, context), true);
    assert.match(
      lines.join("\n"),
      /^warning: 10\.0\.0\.10: `pulumi up` would refuse this change:\n {2}.*answers port 8443;/m,
    );
  });

  it("takes no look that lasts long for a wrong clock", async () => {
    const state = await suite.created();
    const { now } = Date;
    const { observe } = suite.host;
    suite.host.observe = async (target, options) => {
      const seen = await observe(target, options);
      Date.now = () => now() + 600_000;
      return seen;
    };
    try {
      assert.deepEqual(await told((resource, context) => resource.read(state, context)), []);
    } finally {
      Date.now = now;
    }
  });
});
