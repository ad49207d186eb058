/** Files fetched in the worker: early, in parallel, counted as they arrive, and checked by hash. */

import type { Phase } from "./contract";

export interface Expected {
  url: string;
  /** The name a reader is told when the file is damaged. */
  name: string;
  sha256: string;
  bytes: number;
  phase: Phase;
  /** Whoever asks gets the response as it arrives; it may be used before its hash is known. */
  streams?: boolean;
}

/** A file could not be had, or is not the one that was built. */
export class FileError extends Error {
  constructor(readonly file: string, message: string) {
    super(message);
  }
}

interface Entry {
  /** Of a file that streams the response itself, for the first who asks: browsers keep compiled code for it, not for a copy. */
  response: Promise<Response> | null;
  checked: Promise<Uint8Array<ArrayBuffer>>;
}

/** Fetches each expected file once; whoever asks for it again gets the same response. */
export class CheckedFiles {
  /** Rejects as soon as one file is missing or damaged; never resolves. */
  readonly failed: Promise<never>;
  private fail!: (error: unknown) => void;
  private entries = new Map<string, Entry>();
  private loaded = new Map<Phase, number>();
  private totals = new Map<Phase, number>();
  private plainFetch = globalThis.fetch.bind(globalThis);

  /** @param fresh do not trust the browser's cache: what failed before may have been kept there. */
  constructor(
    private fresh: boolean,
    private onBytes: (phase: Phase, loaded: number, total: number) => void,
  ) {
    this.failed = new Promise((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
  }

  /** Start to fetch these, all at once. */
  expect(files: Expected[]): void {
    for (const file of files) this.totals.set(file.phase, (this.totals.get(file.phase) ?? 0) + file.bytes);
    for (const file of files) {
      const response = this.plainFetch(file.url, { cache: this.fresh ? "reload" : "default" }).catch(() => {
        throw new FileError(file.name, `${file.name} could not be fetched`);
      });
      const checked = this.check(file, file.streams ? response.then((r) => r.clone()) : response);
      // Both are awaited later; until then a rejection must not count as unhandled.
      response.catch(() => undefined);
      checked.catch(this.fail);
      this.entries.set(new URL(file.url).href, { response: file.streams ? response : null, checked });
    }
  }

  /** The bytes of an expected file, once their hash was found right. */
  bytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.entries.get(new URL(url).href);
    if (!entry) throw new Error(`${url} was not expected`);
    return entry.checked;
  }

  /** Resolves when every file has the hash it should have. */
  async allChecked(): Promise<void> {
    await Promise.all([...this.entries.values()].map((entry) => entry.checked));
  }

  /** A `fetch` that answers for expected files: with the response under way where that streams, else with checked bytes. */
  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input), globalThis.location.href).href;
    const entry = this.entries.get(url);
    if (!entry) return this.plainFetch(input, init);
    const { response } = entry;
    entry.response = null;
    return response ?? new Response(await entry.checked);
  };

  private async check(file: Expected, copy: Promise<Response>): Promise<Uint8Array<ArrayBuffer>> {
    const response = await copy;
    if (!response.ok) throw new FileError(file.name, `${file.name} could not be fetched (${response.status})`);
    const bytes = await this.read(file, response);
    const digest = await sha256(bytes);
    if (digest !== file.sha256) {
      throw new FileError(file.name, `${file.name} is damaged: it is not the file this book was built with`);
    }
    return bytes;
  }

  private async read(file: Expected, response: Response): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        chunks.push(value);
        size += value.byteLength;
        const loaded = (this.loaded.get(file.phase) ?? 0) + value.byteLength;
        this.loaded.set(file.phase, loaded);
        this.onBytes(file.phase, loaded, this.totals.get(file.phase) ?? 0);
      }
    } catch {
      throw new FileError(file.name, `${file.name} stopped arriving after ${size} bytes`);
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.byteLength;
    }
    return bytes;
  }
}

/** Lower-case hexadecimal SHA-256. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  let digest: Uint8Array;
  if (globalThis.crypto?.subtle) digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  // Over plain http from another machine browsers withhold crypto.subtle; the check is made all the same.
  else digest = (await import("@noble/hashes/sha2.js")).sha256(bytes);
  return Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
}
