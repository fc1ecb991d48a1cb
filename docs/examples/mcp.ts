// A server of MCP whose tool is limited, and a client of it: `npx tsx docs/examples/mcp.ts`.
import { Client, InMemoryTransport } from "@modelcontextprotocol/client";
import { McpServer } from "@modelcontextprotocol/server";
import { throttleTool } from "throttled/mcp";
import { z } from "zod";

const server = new McpServer({ name: "library", version: "1.0.0" });
server.registerTool(
  "search",
  { description: "Finds books", inputSchema: z.object({ query: z.string(), pages: z.number().default(1) }) },
  throttleTool({ quota: "5/m", cost: ({ pages }) => pages }, async ({ query }) => ({
    content: [{ type: "text", text: `Books about ${query}` }],
  })),
);

const client = new Client({ name: "reader", version: "1.0.0" });
const [near, far] = InMemoryTransport.createLinkedPair();
await server.connect(far);
await client.connect(near);

for (const pages of [1, 3, 2, 6]) {
  const { isError = false, content } = await client.callTool({
    name: "search",
    arguments: { query: "rivers", pages },
  });
  const [first] = content;
  console.log(isError ? "refused:" : "answered:", first?.type === "text" && first.text);
}
await client.close();

/* Prints:
answered: Books about rivers
answered: Books about rivers
refused: Rate limit exceeded. Retry after 12 s.
refused: Rate limit exceeded. This call can never pass.
*/
