/** Serves `folder` on 127.0.0.1, on the first free port from `from` upward. */
export declare function serve(folder: string, options?: { from?: number; tries?: number }): Promise<{ url: string; close(): Promise<void> }>;
