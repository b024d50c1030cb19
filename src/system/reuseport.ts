import { LEVEL, libc, ptr } from "./libc.ts";

/** From <asm-generic/socket.h>. */
const ATTACH_PROGRAM = 51; // SO_ATTACH_REUSEPORT_CBPF
const DETACH_PROGRAM = 68; // SO_DETACH_REUSEPORT_BPF

/** Instructions of the classic BPF (<linux/filter.h>), as code and operand. */
const LOAD_RANDOM = [0x20, 0xfffff000 + 56]; // BPF_LD | BPF_W | BPF_ABS of SKF_AD_OFF + SKF_AD_RANDOM
const MODULO = 0x94; // BPF_ALU | BPF_MOD | BPF_K
const RETURN = [0x16, 0]; // BPF_RET | BPF_A
const INSTRUCTION_SIZE = 8;

/**
 * Lets the kernel give new connections to the first `count` sockets only of those that listen at one address with
 * SO_REUSEPORT, in the order in which they were opened; which one is random. So the last one can be closed without a
 * connection in it. Source: socket(7), "SO_ATTACH_REUSEPORT_CBPF".
 *
 * @param fd any of these sockets.
 * @returns false where the kernel cannot do that.
 */
export function steerToFirst(fd: number, count: number): boolean {
  const instructions = [LOAD_RANDOM, [MODULO, count], RETURN];
  const program = new Uint8Array(instructions.length * INSTRUCTION_SIZE);
  const code = new DataView(program.buffer);
  for (const [at, [operation = 0, operand = 0]] of instructions.entries()) {
    code.setUint16(at * INSTRUCTION_SIZE, operation, true);
    code.setUint32(at * INSTRUCTION_SIZE + 4, operand, true);
  }
  // struct sock_fprog: the number of instructions, and after padding their address.
  const description = new Uint8Array(16);
  const fields = new DataView(description.buffer);
  fields.setUint16(0, instructions.length, true);
  fields.setBigUint64(8, BigInt(ptr(program)), true);
  return libc().setsockopt(fd, LEVEL.socket, ATTACH_PROGRAM, ptr(description), description.length) === 0;
}

/** Lets the kernel give new connections to all of them again. */
export function steerToAll(fd: number): void {
  // It fails where nothing is attached, and then there is nothing to do.
  libc().setsockopt(fd, LEVEL.socket, DETACH_PROGRAM, ptr(new Int32Array([0])), 4);
}
