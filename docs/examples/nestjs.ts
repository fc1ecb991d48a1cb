// NestJS, in a project with `experimentalDecorators`: start it, then `curl -i localhost:3000` seven times.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Controller, Get, Module } from "@nestjs/common";
import { APP_GUARD, NestFactory } from "@nestjs/core";
import { SkipThrottle, Throttle, ThrottleGuard, ThrottleModule } from "throttled/nestjs";

@Controller()
class Pages {
  @Get()
  hello() {
    return "Hello\n";
  }

  @SkipThrottle()
  @Get("health")
  health() {
    return "Fine\n";
  }

  // In place of the five: two an hour, with a state of its own.
  @Throttle({ quota: "2/h", prefix: "report" })
  @Get("report")
  report() {
    return "Report\n";
  }
}

@Module({
  imports: [ThrottleModule.forRoot({ quota: "5/m" })],
  controllers: [Pages],
  providers: [{ provide: APP_GUARD, useExisting: ThrottleGuard }],
})
class App {}

const app = await NestFactory.create(App, { logger: ["error", "warn"] });
await app.listen(process.env["PORT"] ?? 3000);
const server: Server = app.getHttpServer();
console.log(`Listening on port ${(server.address() as AddressInfo).port}`);
