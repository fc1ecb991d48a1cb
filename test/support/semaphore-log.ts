import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** Somebody who waits for permits or holds them, as the server has it. */
interface Place {
  readonly permits: number;
  readonly token: number;
  /** Its id with that of its process, as in the sorted set. */
  readonly id: string;
  held: boolean;
  /** By the clock of the server, in milliseconds. */
  endsAt: number;
}

/** Permits that somebody was let in to. */
export interface Grant {
  readonly key: string;
  readonly token: number;
  readonly permits: number;
  /** Of the server, in milliseconds with fractions. */
  readonly at: number;
  /** When the lease ends, as it was renewed last. */
  endsAt: number;
  /** When the server took the permits back, on request or because the lease was over. */
  leftAt?: number;
}

interface Line {
  /** In the order of arrival. */
  readonly places: Map<string, Place>;
  lastTicket: number;
  lastLetIn: number;
}

/** The script that runs now. */
interface Run {
  readonly key: string;
  readonly capacity: number;
  readonly requests: number;
  /** By the clock of the server, once it was read. */
  now: number;
}

const ABOVE_MOMENTS = 2 ** 52;

/**
 * Replays what a server does with semaphores, which MONITOR shows command by command as scripts carry them out, and notes
 * whatever should never happen. It knows how places are kept (the head of `state.lua`), and nothing of how it is decided.
 */
export class SemaphoreLog implements Disposable {
  /** What should never have happened. */
  readonly violations: string[] = [];
  /** In the order in which they were let in; by key and token. */
  readonly grants = new Map<string, Grant>();
  /** Requests that were carried out. */
  requests = 0;
  /** Scripts that were run. */
  runs = 0;
  /** Messages to those who were let in by others. */
  messages = 0;
  /** Who lost permits or a place in line as their time had run out. */
  expired = 0;
  /** The most permits of a key that were held at once. */
  readonly most = new Map<string, number>();
  readonly #socket: Socket;
  readonly #lines = new Map<string, Line>();
  readonly #echoes = new Map<string, () => void>();
  #run: Run | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Resolves when everything from now on is seen. */
  static async start(port: number): Promise<SemaphoreLog> {
    const socket = connect({ port, host: "127.0.0.1" });
    const log = new SemaphoreLog(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      // Without the delay an end of line that comes in two pieces would count as two.
      createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
        if (line === "+OK") resolve();
        else log.#read(line);
      });
      socket.write("MONITOR\r\n");
    });
    return log;
  }

  /** Resolves when all that a server did until now has been read. */
  async catchUp(redis: { echo(message: string): Promise<unknown> }): Promise<void> {
    const mark = `mark-${Math.random()}`;
    const seen = new Promise<void>((resolve) => this.#echoes.set(mark, resolve));
    await redis.echo(mark);
    await seen;
    this.#endRun();
  }

  /** Who holds permits of a key at the end, and who waits. */
  places(key: string): readonly { readonly id: string; readonly held: boolean }[] {
    return [...(this.#lines.get(key)?.places.values() ?? [])];
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(line: string): void {
    const open = line.indexOf("[");
    const close = line.indexOf("] ", open);
    const words = line.slice(close + 3, -1).split('" "');
    if (line.startsWith("lua]", close - 3)) this.#readStep(words, Number(line.slice(1, open)) * 1_000);
    else this.#readCall(words);
  }

  #readCall(words: readonly string[]): void {
    this.#endRun();
    const [name = "", text = ""] = words;
    if (/^evalsha$|^eval$/i.test(name)) {
      this.#run = {
        key: words[3]!,
        capacity: Number(words[7]),
        requests: words.length - 9,
        now: Number.NaN,
      };
    } else if (/^echo$/i.test(name)) this.#echoes.get(text)?.();
  }

  #readStep(words: readonly string[], at: number): void {
    const [name, key = "", score = "", member = ""] = words;
    const run = this.#run;
    if (run === undefined) {
      this.#complain(key, `a step of no script: ${words.join(" ")}`);
      return;
    }
    if (name === "PUBLISH") this.messages++;
    else if (name === "ZADD") this.#write(key, Number(score), member, at);
    else if (name === "ZREM") this.#remove(key, score, at);
    else if (name === "ZRANGEBYSCORE" && Number.isNaN(run.now)) {
      run.now = Number(member);
      this.requests += run.requests;
      this.runs++;
    }
  }

  #write(key: string, score: number, member: string, at: number): void {
    const line = this.#lineOf(key);
    if (member === "token") return;
    if (member === "inUse") {
      const inUse = sum([...line.places.values()].filter(({ held }) => held));
      if (score - ABOVE_MOMENTS !== inUse)
        this.#complain(key, `${score - ABOVE_MOMENTS} for ${inUse} permits`);
    } else if (!member.startsWith("#")) this.#prolong(key, member, score);
    else if (score < 0) this.#arrive(key, member.slice(1), -score);
    else this.#letIn(key, member.slice(1), score - ABOVE_MOMENTS, at);
  }

  #arrive(key: string, id: string, token: number): void {
    const line = this.#lineOf(key);
    if (line.places.has(id)) this.#complain(key, `${id} came twice`);
    if (token <= line.lastTicket) this.#complain(key, `ticket ${token} came after ${line.lastTicket}`);
    line.lastTicket = token;
    const permits = Number(id.slice(0, id.indexOf("/")));
    // Its end is written next.
    line.places.set(id, { id, permits, token, held: false, endsAt: Number.POSITIVE_INFINITY });
  }

  #letIn(key: string, id: string, token: number, at: number): void {
    const line = this.#lineOf(key);
    const place = line.places.get(id);
    if (place === undefined) {
      this.#complain(key, `${id} was let in without a place`);
      return;
    }
    if (token !== place.token) this.#complain(key, `${id} has ticket ${place.token} and token ${token}`);
    if (token <= line.lastLetIn) this.#complain(key, `token ${token} came after ${line.lastLetIn}`);
    const first = firstInLine(line);
    if (first !== place) this.#complain(key, `${id} was let in before ${first?.id}`);
    line.lastLetIn = token;
    place.held = true;
    const { permits } = place;
    this.grants.set(`${key} ${token}`, { key, token, permits, at, endsAt: 0 });
    this.#checkCapacity(key);
  }

  #prolong(key: string, id: string, endsAt: number): void {
    const place = this.#lineOf(key).places.get(id);
    if (place === undefined) {
      this.#complain(key, `${id} was given time without a place`);
      return;
    }
    if (place.endsAt <= this.#run!.now) this.#complain(key, `${id} was given time after its end`);
    place.endsAt = endsAt;
    if (!place.held) return;
    const grant = this.grants.get(`${key} ${place.token}`)!;
    grant.endsAt = Math.max(grant.endsAt, endsAt);
    this.#checkCapacity(key);
  }

  #remove(key: string, id: string, at: number): void {
    const { places } = this.#lineOf(key);
    const place = places.get(id);
    places.delete(id);
    if (place === undefined) {
      this.#complain(key, `${id} left without a place`);
      return;
    }
    if (place.endsAt <= this.#run!.now) this.expired++;
    if (place.held) this.grants.get(`${key} ${place.token}`)!.leftAt = at;
  }

  /** Between two scripts permits only become free, so these are all instants at which there could be too many. */
  #checkCapacity(key: string): void {
    const { now, capacity } = this.#run!;
    const live = [...this.#lineOf(key).places.values()].filter(({ held, endsAt }) => held && endsAt > now);
    const inUse = sum(live);
    if (inUse > capacity) this.#complain(key, `${inUse} of ${capacity} permits are held`);
    if (inUse > (this.most.get(key) ?? 0)) this.most.set(key, inUse);
  }

  /** What must hold whenever a script is through. */
  #endRun(): void {
    const run = this.#run;
    this.#run = undefined;
    // A script that the server does not know runs nothing.
    if (run === undefined || Number.isNaN(run.now)) return;
    const line = this.#lineOf(run.key);
    const all = [...line.places.values()];
    const first = firstInLine(line);
    const free = run.capacity - sum(all.filter(({ held }) => held));
    if (first !== undefined && first.permits <= free) {
      this.#complain(run.key, `${first.id} waits for ${first.permits} permits with ${free} free`);
    }
    const over = all.find(({ endsAt }) => endsAt <= run.now);
    if (over !== undefined) this.#complain(run.key, `${over.id} is there after its end`);
  }

  #lineOf(key: string): Line {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { places: new Map(), lastTicket: 0, lastLetIn: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }

  #complain(key: string, what: string): void {
    this.violations.push(`${key}: ${what}`);
  }
}

function firstInLine({ places }: Line): Place | undefined {
  for (const place of places.values()) if (!place.held) return place;
  return undefined;
}

function sum(places: readonly Place[]): number {
  return places.reduce((total, { permits }) => total + permits, 0);
}
