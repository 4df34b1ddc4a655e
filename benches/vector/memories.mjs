/** The memory of wasm modules that keep it to themselves. Called before such a module is started. */

/** Notes each wasm memory from now on. Gives how to ask for their bytes. */
export function noteMemories() {
  const memories = new Set();
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (source, imports) => {
    const result = await instantiate(source, imports);
    const { exports } = "instance" in result ? result.instance : result;
    for (const exported of Object.values(exports)) if (exported instanceof WebAssembly.Memory) memories.add(exported);
    return result;
  };
  return () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
