/**
 * A static file server for the dashboard.
 *
 * Invariants
 * - It listens on the loopback interface only, and answers only to names of it: a foreign page whose
 *   name was rebound to 127.0.0.1 gets 403.
 * - It serves files below its folder and nothing else, links that lead out of it included.
 * - Every answer carries the content security policy.
 */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";

const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "style-src 'self'",
  "require-trusted-types-for 'script'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "object-src 'none'",
].join("; ");

const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  // Always asked for again: a rebuilt page shows at the next reload.
  "cache-control": "no-cache",
};

const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".jsonl": "application/x-ndjson; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json; charset=utf-8",
  ".woff2": "font/woff2",
};

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Serves `folder` on the first free port from `from` upward. Resolves to `{ url, close }`. */
export async function serve(folder, { from = 4173, tries = 100 } = {}) {
  const base = await realpath(folder);
  const server = createServer((request, response) => {
    answer(base, request, response).catch((error) => {
      // The visitor has gone, or the file has: there is nobody left to tell but the terminal.
      if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") process.stderr.write(`${request.method} ${request.url}: ${error.message}\n`);
      response.destroy();
    });
  });
  const port = await listen(server, from, tries);
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

async function listen(server, from, tries) {
  for (let port = from; port < from + tries; port++) {
    const error = await new Promise((resolve) => {
      server.once("error", resolve);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", resolve);
        resolve(null);
      });
    });
    if (error === null) return server.address().port;
    if (error.code !== "EADDRINUSE" && error.code !== "EACCES") throw error;
  }
  throw new Error(`No free port between ${from} and ${from + tries - 1}.`);
}

async function answer(base, request, response) {
  const refuse = (status, text) => {
    response.writeHead(status, { ...headers, "content-type": "text/plain; charset=utf-8" });
    response.end(`${text}\n`);
  };
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(request.headers.host ?? "")?.[1]?.toLowerCase();
  if (host === undefined || !loopback.has(host)) return refuse(403, "This server answers to localhost only.");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return refuse(405, "Only GET and HEAD.");
  }
  let path;
  try {
    path = decodeURIComponent((request.url ?? "/").split(/[?#]/, 1)[0]);
  } catch {
    return refuse(400, "The address is not well-formed.");
  }
  if (!path.startsWith("/") || path.includes("\0") || path.includes("\\") || path.split("/").includes("..")) {
    return refuse(400, "The address is not well-formed.");
  }
  const file = await find(base, path.endsWith("/") ? `${path}index.html` : path);
  if (file === null) return refuse(404, "Not found.");
  response.writeHead(200, {
    ...headers,
    "content-type": types[extname(file.path).toLowerCase()] ?? "application/octet-stream",
    "content-length": file.size,
  });
  if (request.method === "HEAD") return response.end();
  await pipeline(createReadStream(file.path), response);
}

/** The file itself, links resolved, if it lies below `base`. */
async function find(base, path) {
  try {
    const real = await realpath(join(base, path));
    const info = await stat(real);
    return real.startsWith(base + sep) && info.isFile() ? { path: real, size: info.size } : null;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EACCES"].includes(error.code)) return null;
    throw error;
  }
}
