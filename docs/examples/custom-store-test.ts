// The conformance suite on both stores: `node --test`, or any other runner.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { storeConformance } from "throttled/testing";
import { FileStore } from "./file-store.js";
import { MapStore } from "./map-store.js";

describe("MapStore", () => {
  storeConformance({ test, create: (clock) => new MapStore(clock) });
});

describe("FileStore", () => {
  const folder = (): string => mkdtempSync(join(tmpdir(), "file-store-"));
  storeConformance({ test, create: (clock) => new FileStore(folder(), clock) });
});
