// @ts-check

export const HELP = `Usage: npm run demo -- [options]

Five algorithms, each guarding a real HTTP server that clients ask for four
times its quota; what passed and what was limited is drawn as it happens. Ends
with 1 if any of them broke the bound of its quota.

  --redis [url]   two servers that share one Redis; without a URL it starts a
                  redis-server of its own, which has to be installed
  --seconds <n>   how long clients send to each algorithm, 1 to 60 (default 4)
  --help          this text

NO_COLOR turns colours off, REDIS_SERVER_BIN names the Redis server to start.
`;

/** @typedef {{ help: boolean, redis: string | boolean, seconds: number }} Options */

/** @param {string[]} args @returns {Options} @throws RangeError that says what is wrong */
export function parseOptions(args) {
  const options = { help: false, redis: /** @type {string | boolean} */ (false), seconds: 4 };
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [name = "", ...value] = arg.split(/=(.*)/s);
    // `--redis=url` and `--redis url` are the same.
    if (value[0] !== undefined) rest.unshift(value[0]);
    if (name === "--help" || name === "-h") options.help = true;
    else if (name === "--redis") options.redis = takesUrl(rest) ? redisUrl(rest.shift()) : true;
    else if (name === "--seconds") options.seconds = seconds(rest.shift());
    else throw new RangeError(`Unknown option ${name}`);
  }
  return options;
}

/** @param {string[]} rest */
function takesUrl([next]) {
  return next !== undefined && !next.startsWith("-");
}

/** @param {string | undefined} text */
function redisUrl(text = "") {
  // What it was is not shown: it may hold a password.
  if (!/^rediss?:\/\/./.test(text)) {
    throw new RangeError("Expected --redis to be followed by nothing or a URL like redis://localhost:6379");
  }
  return text;
}

/** @param {string | undefined} text */
function seconds(text = "nothing") {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 60) return number;
  throw new RangeError(`Expected --seconds to be followed by a whole number from 1 to 60, got ${text}`);
}
