// A client made of what `import "ws"` gives: the package itself under Node, Bun's own implementation of it under Bun.
// Arguments: URL, number of messages to wait for, messages to send. One that begins with `hex:` goes as bytes. Prints
// each message that comes, in the same notation, and at last the code it was closed with.
import WebSocket from "ws";

const [url, count, ...messages] = process.argv.slice(2);
const HEX = "hex:";

const socket = new WebSocket(url);
let received = 0;
socket.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
socket.on("open", () => {
  for (const message of messages) {
    socket.send(message.startsWith(HEX) ? Buffer.from(message.slice(HEX.length), "hex") : message);
  }
});
socket.on("message", (data, isBinary) => {
  if (received === Number(count)) return; // sent before the server knew of the close
  console.log(isBinary ? HEX + data.toString("hex") : data.toString());
  received += 1;
  if (received === Number(count)) socket.close(1000);
});
socket.on("close", (code) => console.log(`closed ${code}`));
