/** What `import` gives for a wasm file where the host compiles it (Cloudflare Workers). */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
