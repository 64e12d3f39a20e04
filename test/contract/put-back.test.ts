/** Lines that an earlier version took out too much, as Pulumi sees them come back; on a host in memory. */
import assert from "node:assert/strict";
import { rejected, useClientAuth, type State } from "./client-auth.ts";
import { configFile } from "./scripted-host.ts";

const mark = "#clientcert-adopted# ";
const rule = 'SSLRequire %{SSL_CLIENT_S_DN_O} eq "Board"';
const section = (lines: string): string => `<Location /admin>\n${lines}\n</Location>\n`;

describe("lines that an earlier version commented out, and that stay by today's rules", () => {
  const suite = useClientAuth();

  const configuration = (): string => suite.host.files.get(configFile) ?? "";
  /** Behind the server level's other lines, in the virtual host. */
  function write(lines: string): void {
    suite.host.files.set(configFile, configuration().replace("    SSLEngine on\n", `    SSLEngine on\n${lines}`));
  }

  /** A host that is as wanted, and of which this was taken out afterwards: as an earlier version has left it. */
  async function opened(lines: string): Promise<State> {
    const state = await suite.created();
    write(lines);
    return suite.refreshed(state);
  }

  it("come back with an ordinary update, which a preview announces", async () => {
    const state = await opened(section(`${mark}SSLRequire %{SSL_CLIENT_I_DN_CN} eq "Lab Issuing CA"`));
    assert.notDeepEqual(await suite.previewed(state), {});
    await suite.updated(state);
    assert.ok(!configuration().includes(mark));
  });

  it("come back although a conflict forbids everything else, which is an error still", async () => {
    const state = await opened(section(`${mark}${rule}`));
    assert.deepEqual(Object.keys(await suite.previewed(state)), ["problems"]);
    const error = await rejected(suite.updated(state));
    assert.match(
      error.message,
      /a line was put back that an earlier version had commented out, and nothing else was changed:\n.*would also let in/,
    );
    assert.ok(configuration().includes(section(rule)), "the rule stands again");
  });

  it("stay where they are in a preview", async () => {
    const state = await opened(section(`${mark}${rule}`));
    const before = configuration();
    const { inputs } = await suite.client.check(suite.site.inputs, state.inputs);
    await suite.client.update(state.id, state, inputs, true);
    assert.equal(configuration(), before);
  });
});
