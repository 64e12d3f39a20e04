/** A real cron that runs the job. */
import assert from "node:assert/strict";
import { testTimer } from "./refresh-timers.ts";

testTimer(
  {
    scheduler: "cron",
    host: { cron: true },
    program: "/usr/sbin/cron",
    files: ["/etc/cron.d/clientcert-*"],
    takeAway: "rm /etc/cron.d/clientcert-*",
  },
  (timed) =>
    it("is a line that names the user", async () => {
      const text = await timed().session.lab.run("cat /etc/cron.d/clientcert-*");
      assert.match(text, /^\d[\d,]* \d[\d,]* \* \* \* root \/bin\/sh .*--timer$/m);
    }),
);
