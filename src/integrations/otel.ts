import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type Attributes, type Counter, type Histogram, type Meter, metrics } from "@opentelemetry/api";
import { functionOrNothing, knownOptions } from "../argument.js";
import { ignoreFailure, type LimitEvent, type StoreErrorEvent, type WaitEvent } from "../observation.js";

/** Options of `instrument`. */
export interface InstrumentOptions {
  /** Where the instruments are made; by default the meter `throttled` of the global provider, whichever that is at the time. */
  readonly meter?: Meter | undefined;
  /**
   * More attributes for a decision or a wait. Each different set of them is a time series of its own, so that the key is only
   * for those who have few; what it throws is ignored. Example: `({ quotas }) => ({ "throttled.limit": quotas[0].limit })`.
   */
  readonly attributes?: ((event: LimitEvent | WaitEvent) => Attributes) | undefined;
}

interface Instruments {
  readonly requests: Counter;
  readonly duration: Histogram;
  readonly wait: Histogram;
  readonly storeErrors: Counter;
}

/** Decisions take from microseconds in memory to the deadline of a server. */
const DURATION_BOUNDARIES = [
  0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
  0.05, 0.1, 0.25, 0.5, 1,
];
const WAIT_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * Measures every limiter of the process with OpenTelemetry, until the function that it returns is called: `throttled.requests`,
 * `throttled.duration`, `throttled.wait.duration` (both in seconds) and `throttled.store.errors`. @throws TypeError
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  knownOptions("options", options, ["meter", "attributes"]);
  const { meter } = options;
  const more = functionOrNothing("attributes", options.attributes);
  const attributesOf = (event: LimitEvent | WaitEvent, result: string): Attributes => {
    const { algorithm, store } = event;
    const attributes: Attributes = {
      "throttled.algorithm": algorithm,
      "throttled.store": store,
      "throttled.result": result,
    };
    // What a subscriber throws would end the process.
    if (more) ignoreFailure(() => void Object.assign(attributes, more(event)));
    return attributes;
  };
  const given = meter && instrumentsOf(meter);
  const instruments = (): Instruments => given ?? globalInstruments();

  const listeners: Readonly<Record<string, (event: unknown) => void>> = {
    "throttled:limit": (event) => {
      const limit = event as LimitEvent;
      const { durationMs, result } = limit;
      const decision = result === undefined ? "error" : result.limited ? "denied" : "allowed";
      const attributes = attributesOf(limit, decision);
      if (result !== undefined) attributes["throttled.source"] = result.source;
      const { requests, duration } = instruments();
      requests.add(1, attributes);
      duration.record(durationMs / 1_000, attributes);
    },
    "throttled:wait": (event) => {
      const wait = event as WaitEvent;
      const attributes = attributesOf(wait, "error" in wait ? "aborted" : "admitted");
      instruments().wait.record(wait.waitedMs / 1_000, attributes);
    },
    "throttled:store-error": (event) => {
      const { store, operation, reason } = event as StoreErrorEvent;
      const attributes = { "throttled.store": store, "throttled.operation": operation, "error.type": reason };
      instruments().storeErrors.add(1, attributes);
    },
  };
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener);
  };
}

/** Instruments that were made before there was a provider would never record: those of each provider are its own. */
const ofProvider = new WeakMap<object, Instruments>();

function globalInstruments(): Instruments {
  const provider = metrics.getMeterProvider();
  let instruments = ofProvider.get(provider);
  if (instruments === undefined) {
    instruments = instrumentsOf(provider.getMeter("throttled"));
    ofProvider.set(provider, instruments);
  }
  return instruments;
}

function instrumentsOf(meter: Meter): Instruments {
  return {
    requests: meter.createCounter("throttled.requests", {
      description: "Calls that were decided about",
      unit: "{request}",
    }),
    duration: meter.createHistogram("throttled.duration", {
      description: "How long decisions took",
      unit: "s",
      advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
    }),
    wait: meter.createHistogram("throttled.wait.duration", {
      description: "How long calls waited for their turn",
      unit: "s",
      advice: { explicitBucketBoundaries: WAIT_BOUNDARIES },
    }),
    storeErrors: meter.createCounter("throttled.store.errors", {
      description: "Calls that a store failed to answer",
      unit: "{error}",
    }),
  };
}
