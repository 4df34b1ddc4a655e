import type { BrowserContext, BrowserType } from "playwright-core";

export type IdbEngine = "leveldb" | "sqlite";
/** The names of Chromium's IndexedDB engines. */
export declare const idbEngines: IdbEngine[];
/** The engine that this run of the tests is for. */
export declare function idbEngine(): IdbEngine;
/** The command line flags of Chromium. */
export declare function chromiumFlags(engine?: IdbEngine): string[];
/** Writes webdriver.json for one engine and gives its path. */
export declare function webdriverJson(engine: IdbEngine): Promise<string>;
/** Starts Chromium with its profile in `folder`, which is kept. */
export declare function launch(
  folder: string,
  options?: { engine?: IdbEngine; flags?: string[] } & Omit<NonNullable<Parameters<BrowserType["launchPersistentContext"]>[1]>, "args">,
): Promise<BrowserContext>;
