import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    dir: "tests",
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    environment: "node",
    pool: "forks",
    watch: false,
    // A test that says it is skipped is fine; one that is focussed by mistake hides all others.
    allowOnly: false,
    passWithNoTests: false,
  },
});
