import { metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { MemoryStore, Throttled } from "../../src/index.js";
import { type InstrumentOptions, instrument } from "../../src/integrations/otel.js";
import { RedisStore } from "../../src/redis.js";
import { ManualClock } from "../../src/testing.js";
import { freePort } from "../support/redis-server.js";

/** The SDK with an exporter that keeps what it is given. */
class Telemetry {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  readonly provider: MeterProvider;

  constructor() {
    const reader = new PeriodicExportingMetricReader({ exporter: this.#exporter, exportIntervalMillis: 1e8 });
    this.provider = new MeterProvider({ readers: [reader] });
    onTestFinished(() => this.provider.shutdown());
  }

  /** What was exported of each instrument: its unit, and its values by attributes. */
  async exported() {
    this.#exporter.reset();
    await this.provider.forceFlush();
    const all = this.#exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return Object.fromEntries(
      all.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        {
          unit: descriptor.unit,
          description: descriptor.description,
          points: dataPoints.map(({ attributes, value }) => ({ attributes, value: value as unknown })),
        },
      ]),
    );
  }
}

function started(options?: Omit<InstrumentOptions, "meter">): Telemetry {
  const telemetry = new Telemetry();
  onTestFinished(instrument({ ...options, meter: telemetry.provider.getMeter("test") }));
  return telemetry;
}

const clock = new ManualClock();

function limiter(): Throttled {
  return new Throttled({ key: "ann", using: "gcra", quota: "2/s", store: new MemoryStore({ clock }) });
}

afterEach(() => metrics.disable());

describe("instrument", () => {
  test("counts decisions by result, and measures in seconds how long they took, without the key", async () => {
    const telemetry = started();
    const throttle = limiter();
    for (let i = 0; i < 3; i++) await throttle.limit();
    const attributes = {
      "throttled.algorithm": "gcra",
      "throttled.store": "memory",
      "throttled.source": "store",
    };
    const allowed = { ...attributes, "throttled.result": "allowed" };
    const denied = { ...attributes, "throttled.result": "denied" };
    const { "throttled.requests": requests, "throttled.duration": duration } = await telemetry.exported();
    expect(requests).toMatchObject({
      unit: "{request}",
      points: [
        { attributes: allowed, value: 2 },
        { attributes: denied, value: 1 },
      ],
    });
    expect(duration).toMatchObject({
      unit: "s",
      points: [
        { attributes: allowed, value: { count: 2 } },
        { attributes: denied, value: { count: 1 } },
      ],
    });
    const { sum, buckets } = duration!.points[0]!.value as { sum: number; buckets: { boundaries: number[] } };
    expect(sum).toBeLessThan(1);
    expect([buckets.boundaries[0], buckets.boundaries.at(-1)]).toEqual([0.000_005, 1]);
  });

  test("measures waits, also of those who go away", async () => {
    const telemetry = started();
    const throttle = limiter();
    throttle.limitSync("ann", 2);
    const abort = new AbortController();
    const first = throttle.limit("ann", { timeout: "5s" });
    const second = throttle.limit("ann", { timeout: "5s", signal: abort.signal });
    abort.abort();
    await expect(second).rejects.toThrow();
    await clock.advance(500);
    await first;
    const attributes = { "throttled.algorithm": "gcra", "throttled.store": "memory" };
    const { "throttled.wait.duration": waits } = await telemetry.exported();
    expect(waits).toMatchObject({
      unit: "s",
      points: [
        { attributes: { ...attributes, "throttled.result": "aborted" }, value: { count: 1 } },
        { attributes: { ...attributes, "throttled.result": "admitted" }, value: { count: 1 } },
      ],
    });
    const { sum, buckets } = waits!.points[0]!.value as { sum: number; buckets: { boundaries: number[] } };
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(1);
    expect([buckets.boundaries[0], buckets.boundaries.at(-1)]).toEqual([0.005, 300]);
  });

  test("counts what a store did not answer, and what was let pass all the same", async () => {
    const telemetry = started();
    const url = `redis://127.0.0.1:${await freePort()}`;
    const breaker = { failures: 1, retryAfter: "1m" } as const;
    await using open = new RedisStore(url, { deadline: 50, breaker, onUnavailable: "allow" });
    await using strict = new RedisStore(url, { deadline: 50, breaker });
    for (let i = 0; i < 2; i++) await new Throttled({ key: "k", store: open }).limit();
    await expect(new Throttled({ key: "k", store: strict }).limit()).rejects.toThrow();
    const exported = await telemetry.exported();
    const bucket = { "throttled.algorithm": "token-bucket", "throttled.store": "redis" };
    expect(exported["throttled.requests"]!.points).toEqual([
      {
        attributes: { ...bucket, "throttled.result": "allowed", "throttled.source": "policy" },
        value: 2,
      },
      { attributes: { ...bucket, "throttled.result": "error" }, value: 1 },
    ]);
    const error = { "throttled.store": "redis", "throttled.operation": "decide" };
    expect(exported["throttled.store.errors"]).toMatchObject({
      unit: "{error}",
      points: [
        { attributes: { ...error, "error.type": "timeout" }, value: 2 },
        { attributes: { ...error, "error.type": "breaker-open" }, value: 1 },
      ],
    });
  });

  test("says of each instrument what it measures", async () => {
    const telemetry = started();
    const throttle = limiter();
    await throttle.limit("ann", { cost: 2 });
    const wait = throttle.limit("ann", { timeout: "5s" });
    await clock.advance(500);
    await wait;
    await using store = new RedisStore(`redis://127.0.0.1:${await freePort()}`, { deadline: 50 });
    await expect(new Throttled({ key: "k", store }).limit()).rejects.toThrow();
    const exported = Object.entries(await telemetry.exported());
    expect(Object.fromEntries(exported.map(([name, { description }]) => [name, description]))).toEqual({
      "throttled.requests": "Calls that were decided about",
      "throttled.duration": "How long decisions took",
      "throttled.wait.duration": "How long calls waited for their turn",
      "throttled.store.errors": "Calls that a store failed to answer",
    });
  });

  test("asks each provider for one meter, named after this library", async () => {
    const telemetry = new Telemetry();
    const getMeter = vi.spyOn(telemetry.provider, "getMeter");
    metrics.setGlobalMeterProvider(telemetry.provider);
    onTestFinished(instrument());
    const throttle = limiter();
    await throttle.limit();
    await throttle.limit();
    expect(getMeter.mock.calls).toEqual([["throttled"]]);
  });

  test("adds the attributes of a callback, and none if that throws", async () => {
    const telemetry = started({
      attributes: ({ key }) => {
        if (key === "bob") throw new Error("unknown");
        return { "app.key": key };
      },
    });
    const throttle = limiter();
    for (const key of ["ann", "bob"]) await throttle.limit(key);
    const { points } = (await telemetry.exported())["throttled.requests"]!;
    expect(points.map(({ attributes }) => attributes["app.key"])).toEqual(["ann", undefined]);
  });

  test("records with the global provider, also one that is set later, until it is stopped", async () => {
    const stop = instrument();
    const throttle = limiter();
    await throttle.limit();
    const telemetry = new Telemetry();
    metrics.setGlobalMeterProvider(telemetry.provider);
    await throttle.limit();
    const counted = async () => (await telemetry.exported())["throttled.requests"]?.points;
    expect(await counted()).toHaveLength(1);
    stop();
    await throttle.limit();
    expect(await counted()).toEqual([expect.objectContaining({ value: 1 })]);
  });

  test.each([
    [{ meters: 1 }, 'Unknown option "meters" in `options`, expected one of `meter`, `attributes`'],
    [{ attributes: {} }, "Expected `attributes` to be a function, got an object"],
  ])("refuses a wrong option: %o", (options, message) => {
    expect(() => instrument(options as InstrumentOptions)).toThrow(new TypeError(message));
  });
});
