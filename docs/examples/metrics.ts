// What OpenTelemetry is told about a limiter, with the SDK set up as small as it can be.
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { Throttled } from "throttled";
import { instrument } from "throttled/otel";

const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
const stop = instrument({ meter: provider.getMeter("shop") });

const throttle = new Throttled({ key: "checkout", quota: "3/m" });
for (let i = 0; i < 5; i++) await throttle.limit();

await provider.forceFlush();
for (const { scopeMetrics } of exporter.getMetrics()) {
  for (const { descriptor, dataPoints } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
    if (descriptor.name !== "throttled.requests") continue;
    for (const { value, attributes } of dataPoints) {
      console.log(descriptor.name, attributes["throttled.result"], value);
    }
  }
}

stop();
await provider.shutdown();

/* Prints:
throttled.requests allowed 3
throttled.requests denied 2
*/
