/** What one client, or all of them together, can make the chat keep or do. */
export const LIMITS = {
  /** Members, those included whose connection is gone and who may come back. */
  members: 500,
  /** Rooms at a time. */
  rooms: 100,
  /** Rooms that one member can be in. */
  roomsOfMember: 20,
  /** Messages that a room remembers. */
  history: 100,
  /** Private messages that a member gets when it comes back. */
  privateHistory: 50,
  /** Chars of one message. */
  text: 2000,
  /** Chars of a nickname. */
  nick: 20,
  /** Chars of the name of a room. */
  room: 30,
  /** Chars of a WebSocket message: a text of nothing but escapes, and what stands around it. */
  frame: 16_384,
  /** Messages that wait for a member to read what came before them. */
  waiting: 100,
  /** Requests that a member can make at once. */
  burst: 20,
  /** Requests a second in the long run. */
  rate: 5,
  /** Requests beyond the rate, in a row, that end the connection. */
  refusals: 50,
  /** News that a client of the feed can catch up with. */
  news: 100,
} as const;

/** Times in milliseconds; the tests shorten them. */
export const TIMES = {
  /** How long a member whose connection is gone is kept. */
  grace: Number(process.env["CHAT_GRACE"] ?? 30_000),
  /** How long a client has to say who it is. */
  hello: Number(process.env["CHAT_HELLO"] ?? 10_000),
  /** Between two statistics on the feed. */
  stats: Number(process.env["CHAT_STATS"] ?? 5_000),
} as const;
