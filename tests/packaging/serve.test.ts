/** The server behind `npm start`: what it answers, and what it refuses. */
import { symlinkSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve } from "../../scripts/serve.mjs";
import { emptyFolder, write } from "./pack.js";

let server: { url: string; close(): Promise<void> };
beforeAll(async () => {
  const folder = emptyFolder();
  write(folder, { "secret.txt": "secret", "www/index.html": "<p>page", "www/assets/a b.js": "1", "www-other/x.txt": "secret" });
  symlinkSync(join(folder, "secret.txt"), join(folder, "www/link.txt"));
  symlinkSync(join(folder, "www-other"), join(folder, "www/other"));
  server = await serve(join(folder, "www"), { from: 4500 });
});
afterAll(() => server.close());

/** A request with its path and Host exactly as given, which `fetch` would mend. */
function get(path: string, { method = "GET", host }: { method?: string; host?: string | null } = {}): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers: typeof host === "string" ? { host } : {}, setHost: host === undefined }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => { body += part; });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.on("error", reject).end();
  });
}

describe("serves", () => {
  test("the page at the root, with its policy", async () => {
    const { status, headers, body } = await get("/");
    expect({ status, body }).toEqual({ status: 200, body: "<p>page" });
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(String(headers["content-security-policy"]).split("; ").sort()).toEqual([
      "base-uri 'none'", "connect-src 'self'", "default-src 'self'", "frame-ancestors 'none'", "img-src 'self' data:", "object-src 'none'",
      "require-trusted-types-for 'script'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'",
    ]);
  });
  test("scripts as scripts, names with spaces, and HEAD without a body", async () => {
    const { status, headers } = await get("/assets/a%20b.js?v=1");
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/javascript; charset=utf-8" });
    expect(await get("/assets/a%20b.js", { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
  });
  test.each(["localhost", "localhost:1", "127.0.0.1", "[::1]:4173", "LOCALHOST"])("the name %s", async (host) => expect(await get("/", { host })).toMatchObject({ status: 200 }));
});

describe("refuses", () => {
  test.each(["evil.test", "evil.test:4173", "localhost.evil.test", "127.0.0.1.evil.test", "[::2]", "10.0.0.1", "127.0.0.1@evil.test"])("the name %j", async (host) => {
    const { status, headers, body } = await get("/", { host });
    expect(status).toBe(403);
    expect(body).not.toContain("page");
    expect(headers["content-security-policy"]).toBeDefined();
  });
  test.each([
    "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "/%2e%2e%5csecret.txt", "/..\\secret.txt",
    "//secret.txt", "/link.txt", "/other/x.txt", "/%00", "/%zz", "/assets", "/nothing", "/index.html/", "/../www-other/x.txt",
    "http://evil.test/secret.txt",
  ])("the path %s", async (path) => {
    const { status, body } = await get(path);
    expect([400, 404]).toContain(status);
    expect(body).not.toContain("secret");
  });
  test("a path that is too long for a file", async () => expect(await get(`/${"a".repeat(5000)}`)).toMatchObject({ status: 404 }));
  test("a request that names no host", async () => expect(await get("/", { host: null })).toMatchObject({ status: 400 }));
  test.each(["POST", "PUT", "DELETE", "OPTIONS"])("%s", async (method) => expect(await get("/", { method })).toMatchObject({ status: 405 }));
});

test("takes the next port when one is in use, and ends when told", async () => {
  const folder = emptyFolder();
  write(folder, { "index.html": "second" });
  const second = await serve(folder, { from: Number(new URL(server.url).port) });
  expect(second.url).not.toBe(server.url);
  expect(new URL(second.url).hostname).toBe("127.0.0.1");
  await second.close();
  await expect(fetch(second.url)).rejects.toThrow();
});
