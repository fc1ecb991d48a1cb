// Express: start it, then `curl -i localhost:3000` seven times.
import type { AddressInfo } from "node:net";
import express from "express";
import { throttle } from "throttled/express";

const app = express();
app.use(throttle({ quota: "5/m", skip: (request) => request.path === "/health" }));
app.get("/", (_request, response) => {
  response.send("Hello\n");
});
app.get("/health", (_request, response) => {
  response.send("Fine\n");
});
// On top of the five: two failures an hour, as those that succeed are given back.
const attempts = throttle({ quota: "2/h", prefix: "login", refundOn: (status) => status < 400 });
app.post("/login", attempts, express.text(), (request, response) => {
  response.sendStatus(request.body === "secret" ? 204 : 401);
});

const server = app.listen(Number(process.env["PORT"] ?? 3000), () => {
  console.log(`Listening on port ${(server.address() as AddressInfo).port}`);
});
