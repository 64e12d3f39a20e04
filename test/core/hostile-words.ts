/** What a lying host may say, and a stand-in for a host that says it. */
import { emptyChange } from "../../core/apache/model.ts";
import { createHost } from "../../provider/apache/host.ts";
import type { Target } from "../../core/site/target.ts";
import type { Host, Transaction } from "../../provider/apache/host-model.ts";

/**
 * A title for the terminal (OSC), colours (CSI, of 7 and of 8 bits), an overwritten line, text from right to left, and
 * marks without a width.
 */
export const hostile =
  "\u001b]0;owned\u0007\u001b[31mred\u009b2J\u007f\b\u202egpj.\u202c\u2066x\u2069\u200e\u200f\u061c\u200b\ufeff\u2028\u2029end";

/** Whether nothing in the text steers a terminal, or is there without being seen. */
export const isHarmless = (text: string): boolean => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);

export const target: Target = {
  connection: {
    ...{ address: "10.0.0.10", port: 22, user: "root", hostKey: "", login: { from: "agent" }, sudo: { how: "none" } },
  },
  detection: {},
};

export const transaction: Transaction = {
  ...{ id: "1", owner: "o/p/s/web1", takeOver: false, configFile: "/conf", remove: false },
  ...{ contents: new Map(), probes: new Map(), change: emptyChange },
};

/** A stand-in: whatever is asked, the answer has these parts. */
export function answeringHost(parts: readonly string[]): Host {
  return createHost({
    async execute(_, { data }, { onStdout }) {
      const [, mark = ""] = /^mark (.*)$/m.exec(Buffer.isBuffer(data) ? data.toString("latin1") : "") ?? [];
      const stdout = Buffer.from(parts.map((part) => `\n${mark} ${part}\n`).join(""));
      onStdout?.(stdout);
      return { exitCode: 1, signal: undefined, stdout, stderr: "" };
    },
    close: async () => undefined,
  });
}
