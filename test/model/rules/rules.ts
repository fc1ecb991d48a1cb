import type { Quota } from "../../../src/index.js";
import { FixedWindowRule } from "./fixed-window.js";
import { GcraRule } from "./gcra.js";
import { LeakyBucketRule } from "./leaky-bucket.js";
import type { ExactQuota, Rule } from "./rule.js";
import { SlidingWindowRule } from "./sliding-window.js";
import { TokenBucketRule } from "./token-bucket.js";

const RULES = {
  "fixed-window": FixedWindowRule,
  "sliding-window": SlidingWindowRule,
  "token-bucket": TokenBucketRule,
  "leaky-bucket": LeakyBucketRule,
  gcra: GcraRule,
} as const satisfies Record<string, new (quota: ExactQuota) => unknown>;

/** The algorithms that the model knows. */
export type RuleName = keyof typeof RULES;

export const RULE_NAMES = Object.keys(RULES) as readonly RuleName[];

/** The rule of an algorithm under a quota; its states are its own business. */
export function ruleOf(using: RuleName, { limit, periodMs, burst }: Quota): Rule<unknown> {
  return new RULES[using]({ limit: BigInt(limit), periodMs: BigInt(periodMs), burst: BigInt(burst) });
}
