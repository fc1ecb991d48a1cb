import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";

/** Makes a client of each major version of ioredis that is supported; what tests use of them is typed the same. */
export const IOREDIS = [
  { version: "ioredis 6", connect: (url: string): Redis => new Redis(url) },
  { version: "ioredis 5", connect: (url: string): Redis => new Redis5(url) as unknown as Redis },
] as const;
