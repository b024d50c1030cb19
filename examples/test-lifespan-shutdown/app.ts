import { dispatch } from "pagi-server";

// Shows on standard error when, and in which process, the two lifespan events arrive. For trying out signals by hand.

const say = (text: string): void => console.error(`[${process.pid}] ${text}`);

export default dispatch({
  async lifespan(_scope, receive, send) {
    for (;;) {
      const event = await receive();
      say(event.type);
      switch (event.type) {
        case "lifespan.startup":
          await send({ type: "lifespan.startup.complete" });
          break;
        case "lifespan.shutdown":
          await send({ type: "lifespan.shutdown.complete" });
          return;
      }
    }
  },

  async http(_scope, _receive, send) {
    await send({ type: "http.response.start", status: 404, headers: [["content-type", "text/plain"]] });
    await send({ type: "http.response.body", body: "Not Found\n" });
  },
});
