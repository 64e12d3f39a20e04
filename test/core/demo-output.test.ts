import assert from "node:assert/strict";
import { withoutEmptyHeadings } from "../../lab/demo/show.ts";

describe("what the demo shows of Pulumi's output", () => {
  it("has no heading without a line below it", () => {
    const output = `Diagnostics:
  clientcert:index:Site (lab):
  clientcert:apache:ClientAuth (web1):
    warning: conf/httpd.conf:3: something
    hosts:
  clientcert:index:ApacheHost (web2):
Outputs:
Resources:
    5 unchanged`;
    assert.equal(
      withoutEmptyHeadings(output.split("\n")).join("\n"),
      `Diagnostics:
  clientcert:apache:ClientAuth (web1):
    warning: conf/httpd.conf:3: something
    hosts:
Resources:
    5 unchanged`,
    );
    assert.deepEqual(withoutEmptyHeadings(["Diagnostics:", "  clientcert:index:Site (lab):"]), []);
  });
});
