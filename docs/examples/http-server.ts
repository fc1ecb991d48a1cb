// A server that answers 429 to a client that asks too often: start it, then `curl -i localhost:3000` seven times.
import { createServer } from "node:http";
import { Throttled } from "throttled";

const throttle = new Throttled({ using: "gcra", quota: "5/m" });

const server = createServer(async (request, response) => {
  const { limited, remaining, retryAfterMs } = await throttle.limit(
    request.socket.remoteAddress ?? "unknown",
  );
  if (limited) {
    response.writeHead(429, { "Retry-After": Math.ceil(retryAfterMs / 1000) });
    response.end("Too many requests\n");
  } else {
    response.end(`Hello, ${remaining} left\n`);
  }
});

server.listen(Number(process.env["PORT"] ?? 3000), () => {
  console.log(`Listening on port ${(server.address() as { port: number }).port}`);
});
