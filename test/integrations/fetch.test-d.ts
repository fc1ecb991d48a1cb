// Compiled by `npm run typecheck` and never run: every line that must not compile says so with @ts-expect-error.
import type * as undici from "undici";
import { expectTypeOf } from "vitest";
import { type FetchLike, type ThrottledFetchOptions, throttledFetch } from "../../src/integrations/fetch.js";

declare const undiciFetch: typeof undici.fetch;
declare const onlyTexts: (url: string, tries?: number) => Promise<Response>;

// What it answers is what it calls, by default the platform's.
expectTypeOf(throttledFetch()).toEqualTypeOf<typeof fetch>();
expectTypeOf(throttledFetch({ quota: "10/s", key: "all" })).toEqualTypeOf<typeof fetch>();
expectTypeOf(throttledFetch({ fetch })).toEqualTypeOf<typeof fetch>();
expectTypeOf(throttledFetch({ fetch: undiciFetch })).toEqualTypeOf<typeof undici.fetch>();
expectTypeOf(throttledFetch({ fetch: onlyTexts })).toEqualTypeOf<typeof onlyTexts>();
expectTypeOf<typeof fetch>().toExtend<FetchLike>();

// Functions get where a call goes, and its arguments.
throttledFetch({
  key: (url, input, init) => {
    expectTypeOf(url).toEqualTypeOf<URL>();
    expectTypeOf(input).toEqualTypeOf<Parameters<typeof fetch>[0]>();
    expectTypeOf(init).toEqualTypeOf<RequestInit | undefined>();
    return url.hostname;
  },
  cost: async ({ pathname }) => (pathname === "/search" ? 5 : 1),
});
throttledFetch({ fetch: onlyTexts, cost: (_url, _text, tries = 1) => tries });
const options: ThrottledFetchOptions = { quota: ["5/s", { limit: 100, period: "1h" }], retries: 0 };
throttledFetch(options);

// @ts-expect-error
throttledFetch({ retry: 5 });
// @ts-expect-error
throttledFetch({ key: () => 7 });
// @ts-expect-error
throttledFetch({ fetch: async () => "text" });
// @ts-expect-error
throttledFetch({ fetch: onlyTexts })(new URL("http://far.example"));
