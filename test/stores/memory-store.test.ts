import { describe, test } from "vitest";
import { MemoryStore } from "../../src/index.js";
import { storeConformance } from "../../src/testing.js";

describe("MemoryStore conforms", () => {
  storeConformance({ test, create: (clock) => new MemoryStore({ clock }) });
});
