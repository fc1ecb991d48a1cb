import { HttpException } from "@nestjs/common";
import { describe, expect, test, vi } from "vitest";
import { nestSuite } from "./nestjs-suite.js";

// Nest 11 in place of 12, here and for the adapter.
vi.mock("@nestjs/common", () => import("./nest-11/node_modules/@nestjs/common/index.js"));
vi.mock("@nestjs/core", () => import("./nest-11/node_modules/@nestjs/core/index.js"));
vi.mock("@nestjs/platform-express", () => import("./nest-11/node_modules/@nestjs/platform-express/index.js"));
vi.mock("@nestjs/platform-fastify", () => import("./nest-11/node_modules/@nestjs/platform-fastify/index.js"));

describe("Nest 11", nestSuite);

test("this is another Nest than the newest", async () => {
  const { HttpException: newest } = await vi.importActual<{ HttpException: unknown }>("@nestjs/common");
  expect(HttpException).not.toBe(newest);
});
