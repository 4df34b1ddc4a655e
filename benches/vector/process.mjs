/**
 * A contender in a process of its own: it is asked by one line of JSON and answers by one. Both ends of that.
 *
 * Only one is at work at a time, so that none takes another's core, and each one's memory is its own.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Starts a program. `ask(request)` resolves to its answer, and rejects if it failed or ended. */
export function start(name, command, args, { env = process.env } = {}) {
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [];
  const settle = (how, value) => waiting.shift()?.[how](value);
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(signal === null ? `code ${code}` : `signal ${signal}`));
  });
  void ended.then((how) => {
    while (waiting.length > 0) settle("reject", new Error(`the process of ${name} ended with ${how}`));
  });
  child.stdin.on("error", () => undefined); // it has ended, which `ended` tells
  createInterface({ input: child.stdout }).on("line", (line) => {
    const answer = JSON.parse(line);
    if (answer.error === undefined) settle("resolve", answer);
    else settle("reject", new Error(`${name}: ${answer.error}`));
  });
  const ask = (request) => new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`the process of ${name} has ended`));
    waiting.push({ resolve, reject });
    child.stdin.write(`${JSON.stringify(request)}\n`);
  });
  const stop = async () => {
    child.stdin.end();
    await ended;
  };
  return { name, ask, stop };
}

/** The other end: answers each line of standard input by one of `actions`, until there are no more. */
export async function answer(actions) {
  for await (const line of createInterface({ input: process.stdin })) {
    const { action, ...request } = JSON.parse(line);
    const reply = await actions[action](request).catch((error) => ({ error: String(error?.stack ?? error) }));
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}
