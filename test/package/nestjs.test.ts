import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inTempFolder, node, ROOT } from "./node.js";

/** An application without decorators, which JavaScript has none of; the names come by `import` or by `require`. */
const APPLICATION = `
  class Pages { page() { return "hello"; } }
  Controller()(Pages);
  Get()(Pages.prototype, "page", Object.getOwnPropertyDescriptor(Pages.prototype, "page"));
  class App {}
  Module({
    imports: [ThrottleModule.forRoot({ quota: "1/h" })],
    controllers: [Pages],
    providers: [{ provide: APP_GUARD, useExisting: ThrottleGuard }],
  })(App);
  (async () => {
    const app = await NestFactory.create(App, { logger: ["error", "warn"] });
    await app.listen(0, "127.0.0.1");
    const url = "http://127.0.0.1:" + app.getHttpServer().address().port;
    for (let i = 0; i < 2; i++) {
      const response = await fetch(url);
      console.log(response.status, response.headers.get("ratelimit"));
      await response.text();
    }
    await app.close();
  })();`;

const NAMES = [
  ["{ Controller, Get, Module }", "@nestjs/common"],
  ["{ APP_GUARD, NestFactory }", "@nestjs/core"],
  ["{ ThrottleGuard, ThrottleModule }", "throttled/nestjs"],
] as const;

const asEsm = NAMES.map(([names, from]) => `import ${names} from "${from}";`).join("\n");
const asCjs = NAMES.map(([names, from]) => `const ${names} = require("${from}");`).join("\n");
/** As Node does that knows no `module-sync`. */
const asOldCjs = asCjs.replace("throttled/nestjs", "./node_modules/throttled/dist/nestjs.cjs");

describe("the package as it was built", () => {
  test.each([
    ["Nest 11 from ESM", "nest-11/node_modules/@nestjs", "esm.mjs", asEsm],
    ["Nest 11 from CommonJS", "nest-11/node_modules/@nestjs", "cjs.cjs", asOldCjs],
    ["Nest 12 from ESM", "@nestjs", "esm.mjs", asEsm],
    ["Nest 12 from CommonJS", "@nestjs", "cjs.cjs", asCjs],
  ])("works with %s", async (_, nest, file, names) => {
    await inTempFolder(async (project) => {
      const modules = join(project, "node_modules");
      mkdirSync(modules);
      symlinkSync(join(ROOT, "node_modules", nest), join(modules, "@nestjs"), "dir");
      // A copy: from behind a link it would find the Nest of this project instead.
      for (const part of ["package.json", "dist"])
        cpSync(join(ROOT, part), join(modules, "throttled", part), { recursive: true });
      writeFileSync(join(project, file), names + APPLICATION);
      expect(await node([file], project)).toEqual({
        output: '200 "1-in-3600s";r=0;t=3600\n429 "1-in-3600s";r=0;t=3600\n',
        code: 0,
        signal: null,
      });
    });
  });
});
