/**
 * `npm start`: builds what is out of date and serves the dashboard until it is stopped.
 */
import { join } from "node:path";
import { build } from "./build.mjs";
import { entry, root, say } from "./process.mjs";
import { serve } from "./serve.mjs";

await entry(async () => {
  await build();
  const { url, close } = await serve(join(root, "www/dist"));
  say(`mnemora dashboard: ${url}`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void close());
});
