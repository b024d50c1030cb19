/**
 * Bytes of a TCP connection between two sockets of this machine that lie in the kernel: not acknowledged by the
 * receiver's side, or received and not read. What a client has sent beyond them, the server holds. Linux only.
 */
export async function bytesInKernel(client: { localPort: number; remotePort: number }): Promise<number> {
  const table = await Bun.file("/proc/net/tcp").text();
  const ends = [
    [client.localPort, client.remotePort],
    [client.remotePort, client.localPort],
  ].map(([local = 0, remote = 0]) => `${hex(local)} ${hex(remote)}`);
  let bytes = 0;
  for (const line of table.split("\n")) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    const [send = "0", receive = "0"] = queues.split(":");
    const end = ends.indexOf(`${local.split(":")[1]} ${remote.split(":")[1]}`);
    if (end === 0) bytes += parseInt(send, 16);
    if (end === 1) bytes += parseInt(receive, 16);
  }
  return bytes;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
