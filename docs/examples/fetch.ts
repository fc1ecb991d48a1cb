// A client that keeps to its own quota and to what a server says of its limits: `npx tsx docs/examples/fetch.ts`.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isLimitedError } from "throttled";
import { throttledFetch } from "throttled/fetch";

// A server that answers two requests, and then wants to be left alone for a second.
let requests = 0;
const server = createServer((_request, response) => {
  requests++;
  if (requests === 3) response.writeHead(429, { "Retry-After": "1" }).end();
  else response.end(`Answer to request ${requests}`);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

const fetch = throttledFetch({ quota: "5/h", timeout: "10s" });
for (let call = 1; call <= 3; call++) {
  const response = await fetch(url);
  console.log(`call ${call}: ${response.status} ${await response.text()}`);
}

// These were four requests, the third one twice. One is left of our own quota; the next would be twelve minutes away.
await fetch(url);
try {
  await fetch(url);
} catch (error) {
  if (!isLimitedError(error)) throw error;
  console.log(`call 5: not sent, and the server got ${requests} requests`);
}
server.closeAllConnections();
server.close();

/* Prints:
call 1: 200 Answer to request 1
call 2: 200 Answer to request 2
call 3: 200 Answer to request 4
call 5: not sent, and the server got 5 requests
*/
