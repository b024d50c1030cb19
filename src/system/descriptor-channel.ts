import { AF, checked, libc, ptr, SOCK } from "./libc.ts";

// Descriptors of sockets, handed to a process that runs already. Bun's IPC takes only servers that accept. Source:
// unix(7), "Ancillary messages"; the structures are those of a 64-bit Linux.

const SEQPACKET = 5;
/** SOL_SOCKET and SCM_RIGHTS. */
const RIGHTS = { level: 1, type: 1 } as const;
/** MSG_DONTWAIT, MSG_NOSIGNAL and MSG_CMSG_CLOEXEC. */
const SEND_FLAGS = 0x40 | 0x4000;
const RECEIVE_FLAGS = 0x40 | 0x4000_0000;
/** Of a `struct msghdr` and a `struct cmsghdr`. */
const MESSAGE = { size: 56, vector: 16, vectorCount: 24, control: 32, controlLength: 40 } as const;
const CONTROL_HEAD = 16;
/** SCM_MAX_FD: more do not fit into one message. */
const MOST = 253;

/** Two ends of a channel; one is for the other process. @throws SystemError */
export function openDescriptorChannel(): [ours: number, theirs: number] {
  const ends = new Int32Array(2);
  checked(libc().socketpair(AF.unix, SEQPACKET | SOCK.cloexec, 0, ptr(ends)), "socketpair");
  const [ours = -1, theirs = -1] = ends;
  return [ours, theirs];
}

/**
 * Sends descriptors, which the other process gets as its own. It must ask for them with `receiveDescriptors`, once for
 * each call of this.
 *
 * @throws SystemError, such as `EAGAIN` when the other one takes none.
 */
export function sendDescriptors(channel: number, descriptors: readonly number[]): void {
  if (descriptors.length > MOST) throw new RangeError(`At most ${MOST} descriptors can be sent at a time.`);
  const control = new Uint8Array(controlSpace(descriptors.length));
  const view = new DataView(control.buffer);
  view.setBigUint64(0, BigInt(CONTROL_HEAD + 4 * descriptors.length), true);
  view.setInt32(8, RIGHTS.level, true);
  view.setInt32(12, RIGHTS.type, true);
  for (const [index, fd] of descriptors.entries()) view.setInt32(CONTROL_HEAD + 4 * index, fd, true);
  const message = messageOf(control);
  checked(Number(libc().sendmsg(channel, ptr(message.header), SEND_FLAGS)), "sendmsg");
}

/** Takes the descriptors of one message. @throws SystemError, such as `EAGAIN` when there is none. */
export function receiveDescriptors(channel: number): number[] {
  const control = new Uint8Array(controlSpace(MOST));
  const message = messageOf(control);
  checked(Number(libc().recvmsg(channel, ptr(message.header), RECEIVE_FLAGS)), "recvmsg");
  const view = new DataView(control.buffer);
  const length = Number(view.getBigUint64(0, true));
  const received = new DataView(message.header.buffer).getBigUint64(MESSAGE.controlLength, true);
  if (received === 0n || view.getInt32(12, true) !== RIGHTS.type) return [];
  const count = (length - CONTROL_HEAD) / 4;
  return Array.from({ length: count }, (_, index) => view.getInt32(CONTROL_HEAD + 4 * index, true));
}

function controlSpace(count: number): number {
  return CONTROL_HEAD + Math.ceil((4 * count) / 8) * 8;
}

/** A message of one byte with its control data. The parts come with it, for they must not be collected before. */
function messageOf(control: Uint8Array): { header: Uint8Array; parts: readonly Uint8Array[] } {
  const byte = new Uint8Array(1);
  const vector = new Uint8Array(16);
  const vectorView = new DataView(vector.buffer);
  vectorView.setBigUint64(0, BigInt(ptr(byte)), true);
  vectorView.setBigUint64(8, 1n, true);
  const header = new Uint8Array(MESSAGE.size);
  const view = new DataView(header.buffer);
  view.setBigUint64(MESSAGE.vector, BigInt(ptr(vector)), true);
  view.setBigUint64(MESSAGE.vectorCount, 1n, true);
  view.setBigUint64(MESSAGE.control, BigInt(ptr(control)), true);
  view.setBigUint64(MESSAGE.controlLength, BigInt(control.length), true);
  return { header, parts: [byte, vector, control] };
}
