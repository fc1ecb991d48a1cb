// Methods and functions that refuse to run too often.
import { isLimitedError, Throttled, throttled, throttledSync } from "throttled";

const budget = new Throttled({ key: "budget", quota: "5/m" });

class Api {
  @throttled({ key: (id: string) => `user:${id}`, quota: "2/m" })
  async profile(id: string): Promise<string> {
    return `profile of ${id}`;
  }

  @throttled(budget, { cost: 3 })
  async report(): Promise<string> {
    return "report";
  }

  /** Without `key`: its key is "Api.ping". */
  @throttledSync({ quota: "1/m" })
  ping(): string {
    return "pong";
  }
}

/** Not only methods; without `key`, the key is "lookUp". */
const lookUp = throttled({ quota: "1/m" })(async function lookUp(host: string): Promise<string> {
  return `address of ${host}`;
});

async function attempt(name: string, call: () => string | Promise<string>): Promise<void> {
  try {
    console.log(`${name}: ${await call()}`);
  } catch (error) {
    if (!isLimitedError(error)) throw error;
    console.log(`${name}: limited, key "${error.key}", ${Math.ceil(error.result.retryAfterMs / 1000)} s`);
  }
}

const api = new Api();
for (const id of ["ann", "ann", "ann", "bob"]) await attempt(`profile(${id})`, () => api.profile(id));
for (let i = 0; i < 2; i++) await attempt("report()", () => api.report());
for (let i = 0; i < 2; i++) await attempt("ping()", () => api.ping());
for (let i = 0; i < 2; i++) await attempt("lookUp()", () => lookUp("example.org"));

/* Prints:
profile(ann): profile of ann
profile(ann): profile of ann
profile(ann): limited, key "user:ann", 30 s
profile(bob): profile of bob
report(): report
report(): limited, key "budget", 12 s
ping(): pong
ping(): limited, key "Api.ping", 60 s
lookUp(): address of example.org
lookUp(): limited, key "lookUp", 60 s
*/
