import { describe, expect, test } from "vitest";
import { isStoreError, Throttled } from "../../src/index.js";
import { bothVersions } from "../support/ioredis-versions.js";
import { until } from "../support/server-node.js";
import { Recorder } from "../support/tls.js";

const versions = await bothVersions();

/** What a listener that never answers hears from a store over each version of ioredis. */
async function heard(form: string): Promise<Recorder> {
  const sink = await Recorder.start();
  const url = form.replace("AT", `127.0.0.1:${sink.port}`);
  const each = [...versions.values()].map(async ({ RedisStore }) => {
    await using store = new RedisStore(url, { redisOptions: { sentinelPassword: "secret" } });
    const error = await new Throttled({ store }).limit("key").catch((reason: unknown) => reason);
    expect(isStoreError(error)).toBe(true);
    await until("each store speaks", 5_000, () => sink.spoken.length >= versions.size);
  });
  await Promise.all(each);
  await sink.stop();
  return sink;
}

describe.concurrent("a listener that never answers", () => {
  test.each([
    "rediss://:secret@AT",
    "REDISS://user:secret@AT/1",
    "valkeys://:secret@AT",
    "rediss+sentinel://:secret@AT/service",
    "Rediss+Sentinel://:secret@AT",
    "rediss+cluster://user:secret@AT",
  ])("hears no secret from %s", async (form) => {
    const sink = await heard(form);
    expect(sink.isEncrypted).toBe(true);
    expect(sink.text).not.toContain("secret");
  });

  test.each(["redis://:secret@AT", "redis+sentinel://:data@AT", "redis+cluster://:secret@AT"])(
    "would have heard it, as it does from %s",
    async (form) => {
      const sink = await heard(form);
      expect(sink.isEncrypted).toBe(false);
      expect(sink.text).toContain("secret");
    },
  );
});
