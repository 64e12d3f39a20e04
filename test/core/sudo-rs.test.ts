/** The rule for the observation program where sudo is sudo-rs. What it says was taken down from sudo-rs 0.2.15. */
import assert from "node:assert/strict";
import { observeProgram } from "../../cli/observe-program.ts";
import { sudoError } from "../../provider/remote/shell/posix-shell.ts";

const path = "/usr/local/sbin/clientcert-observe";
const lineOf = (digest: boolean): string =>
  observeProgram({ overridesFrom: undefined, sudoers: "ops", digest, json: false }).output.trimEnd();
const refused = "sudo: I'm sorry ops. I'm afraid I can't do that\n";

describe("a host with sudo-rs", () => {
  it("is given a line for sudoers without a digest, which its visudo takes", () => {
    assert.equal(lineOf(false), `ops ALL=(root) NOPASSWD: ${path} ""`);
    assert.match(
      lineOf(true),
      /^ops ALL=\(root\) NOPASSWD: sha256:[0-9a-f]{64} \/usr\/local\/sbin\/clientcert-observe ""$/,
    );
  });

  it("is told apart where it leaves out a line because of its digest", () => {
    const connection = { user: "ops", sudo: { how: "program", path } } as const;
    const said = `/etc/sudoers.d/ops:1:26: digest specifications are not supported\n${lineOf(true)}\n${" ".repeat(25)}^~~~~~\n`;
    const error = sudoError("web1:22", connection, said + refused, undefined);
    assert.match(
      error?.message ?? "",
      /^web1:22: ops may not run \S+ as root: sudo there is sudo-rs, .* --sudoers ops --no-digest prints$/,
    );
    const without = sudoError("web1:22", connection, refused, undefined);
    assert.match(
      without?.message ?? "",
      /^web1:22: ops may not run \S+ as root; add a rule for ops to sudoers with visudo$/,
    );
  });
});
