import type { Redis } from "ioredis";

/** The clock of a Redis server, in whole milliseconds as its scripts read it. */
export async function serverTime(redis: Redis): Promise<number> {
  const [seconds = 0, micros = 0] = (await redis.time()).map(Number);
  return seconds * 1_000 + Math.floor(micros / 1_000);
}
