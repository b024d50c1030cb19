import { dispatch } from "pagi-server/spec";
import { PagiWebSocket } from "pagi-server/websocket";
import { page } from "./page.ts";

export default dispatch({
  async websocket(scope, receive, send) {
    const ws = new PagiWebSocket(scope, receive, send);
    await ws.accept();
    ws.onClose((code) => console.log(`A client has disconnected with ${code}.`));
    await ws.eachText((text) => ws.sendText(`echo: ${text}`));
  },
  http: page,
});
