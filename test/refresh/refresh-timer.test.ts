/** A real cron that runs the job. */
import { testTimer } from "../host/refresh-timers.ts";

testTimer({
  scheduler: "cron",
  host: { cron: true },
  program: "/usr/sbin/cron",
  files: ["/etc/cron.d/clientcert-*"],
  text: /^\d[\d,]* \* \* \* \* root \/bin\/sh .*--timer$/m,
  takeAway: "rm /etc/cron.d/clientcert-*",
});
