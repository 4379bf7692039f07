/**
 * A websocket text frame around JSON that many subscriptions share. The bytes of the result are
 * made once and copied; ws would encode the text for every reader and write it in two pieces,
 * which is most of what a delivery costs.
 */

const FINAL_TEXT = 0x81;
const AFTER = 0x7d; // }

/** The frame of `{"id":…,"type":"next","payload":<result>}`; servers do not mask. */
export function nextFrame(id: string, result: Buffer): Buffer {
  const before = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const beforeLength = Buffer.byteLength(before);
  const length = beforeLength + result.length + 1;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = FINAL_TEXT;
  if (head === 2) {
    frame[1] = length;
  } else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(before, head);
  result.copy(frame, head + beforeLength);
  frame[head + length - 1] = AFTER;
  return frame;
}
