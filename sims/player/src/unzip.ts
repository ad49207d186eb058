/** Reads a wheel: a zip file that this book's build has written, inflated by the browser itself. */

export interface ZipEntry {
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
}

const END = 0x06054b50;
const DIRECTORY = 0x02014b50;
const END_SIZE = 22;
const STORED = 0;
const DEFLATED = 8;

/**
 * Returns all files of a zip, in its own order.
 *
 * @throws Error when the bytes are no zip, or use what the build never writes (zip64, a comment, encryption).
 */
export async function unzip(zip: Uint8Array<ArrayBuffer>): Promise<ZipEntry[]> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.byteLength - END_SIZE;
  if (end < 0 || view.getUint32(end, true) !== END) throw new Error("not a zip file as the build writes them");
  const names = new TextDecoder();
  const entries: Promise<ZipEntry>[] = [];
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== DIRECTORY) throw new Error("the zip file's directory is damaged");
    const method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    const nameLength = view.getUint16(at + 28, true);
    const header = view.getUint32(at + 42, true);
    const path = names.decode(zip.subarray(at + 46, at + 46 + nameLength));
    // The local header repeats the name, and has an extra field of its own length.
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    const data = zip.subarray(start, start + packed);
    if (!path.endsWith("/")) entries.push(inflated(data, method, size).then((bytes) => ({ path, bytes })));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return Promise.all(entries);
}

async function inflated(data: Uint8Array<ArrayBuffer>, method: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
  if (method === STORED) return data.slice();
  if (method !== DEFLATED) throw new Error(`the zip file uses method ${method}, which the build never writes`);
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  // What is wrong with the data is told by the reading side.
  writer.write(data).catch(() => undefined);
  writer.close().catch(() => undefined);
  const bytes = new Uint8Array(size);
  let at = 0;
  const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.byteLength > size) throw new Error("a file in the zip is longer than its directory says");
    bytes.set(value, at);
    at += value.byteLength;
  }
  if (at !== size) throw new Error("a file in the zip is shorter than its directory says");
  return bytes;
}
