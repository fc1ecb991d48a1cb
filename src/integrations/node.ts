import type { Origin, Verdict } from "./gate.js";

/** What is used of a request of Node; `IncomingMessage` fits. */
interface NodeRequest {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What is used of a response of Node; `ServerResponse` fits. */
interface NodeResponse {
  readonly statusCode: number;
  once(event: "finish", listener: () => void): unknown;
}

/** Where a request to a server of Node came from. */
export function originOf({ socket, headers }: NodeRequest): Origin {
  return {
    remoteAddress: socket.remoteAddress,
    forwardedFor: headers["x-forwarded-for"]?.toString(),
  };
}

/** Reports the status of an answer once it is sent: also one that a framework makes of an error, after all middleware. */
export function whenAnswered(response: NodeResponse, { onAnswered }: Verdict): void {
  if (onAnswered) response.once("finish", () => onAnswered(response.statusCode));
}
