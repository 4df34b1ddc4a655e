/**
 * Encodes and decodes agent states in three ways. The same module runs in Node and in Chromium.
 *
 * Invariant: encoding ends, and decoding begins, with the bytes in wasm memory, for all of them.
 */
import { give, initSync, serdeDecode, serdeEncode, take } from "codec-glue";
import { decodeValue } from "../../pkg/src/value/decode.js";
import { encodeValue } from "../../pkg/src/value/encode.js";
import { Reader, Writer } from "../../pkg/src/value/wire.js";
import { agentState, type AgentState } from "../storage/state.js";

const STATES = 200;
const REPEATS = 5;

const scratch = new Writer();
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/** `encode` gives the number of bytes, which are then in wasm memory, where `decode` finds them. */
interface Codec {
  encode(state: AgentState): number;
  decode(): unknown;
}

const codecs: Record<string, Codec> = {
  "own codec": {
    encode(state) {
      scratch.reset();
      encodeValue(state, scratch);
      return take(scratch.peek());
    },
    decode() {
      const reader = new Reader(give());
      const value = decodeValue(reader);
      reader.end();
      return value;
    },
  },
  "serde-wasm-bindgen": { encode: serdeEncode, decode: serdeDecode },
  "JSON + TextEncoder": {
    encode: (state) => take(textEncoder.encode(JSON.stringify(state))),
    decode: () => JSON.parse(textDecoder.decode(give())),
  },
};

export interface Timing {
  codec: string;
  bytes: number;
  /** Microseconds a value, one figure a round. */
  encode: number[];
  decode: number[];
}

/** Measures in `rounds` rounds, each codec in each, in an order that turns. */
export function measure(wasm: Uint8Array<ArrayBuffer>, rounds: number): Timing[] {
  initSync({ module: wasm });
  const states = Array.from({ length: STATES }, (_, index) => agentState(index));
  const names = Object.keys(codecs);
  const timings = names.map((codec): Timing => ({ codec, bytes: check(codec, states), encode: [], decode: [] }));
  const warm = 5;
  for (let round = 0; round < warm + rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const at = (turn + round) % names.length;
      const { encode, decode } = codecs[names[at]!]!;
      const timing = timings[at]!;
      const encoding = timed(() => {
        for (const state of states) encode(state);
      });
      const decoding = timed(() => {
        for (let index = 0; index < STATES; index++) decode();
      });
      if (round >= warm) {
        timing.encode.push(encoding);
        timing.decode.push(decoding);
      }
    }
  }
  return timings;
}

/** Microseconds a state. */
function timed(work: () => void): number {
  const start = performance.now();
  for (let repeat = 0; repeat < REPEATS; repeat++) work();
  return (performance.now() - start) * 1_000 / (REPEATS * STATES);
}

/** What is timed must be right: every state comes back as it was. Gives the bytes of one. */
function check(name: string, states: AgentState[]): number {
  const { encode, decode } = codecs[name]!;
  let bytes = 0;
  for (const state of states) {
    bytes = encode(state);
    if (JSON.stringify(decode()) !== JSON.stringify(state)) throw new Error(`${name} gave something else than it was given`);
  }
  return bytes;
}

(globalThis as unknown as { measureCodecs: typeof measure }).measureCodecs = measure;
