/** The request of a client that offers no compression, so that every server sends messages as they are. */
export function upgradeRequest(path: string): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: localhost",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "\r\n",
  ].join("\r\n");
}

/** Whether the handshake is complete, and with it the message that the server greets with, if it does. */
export function isAccepted(received: string, greeting = ""): boolean {
  return received.startsWith("HTTP/1.1 101 ") && received.includes("\r\n\r\n") && received.endsWith(greeting);
}
