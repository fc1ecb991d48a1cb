// Preloaded with --import: whoever imports ioredis gets version 5.
import { register } from "node:module";

const resolve = `export const resolve = (name, context, next) =>
  next(name === "ioredis" ? "ioredis-5" : name, context);`;
register(`data:text/javascript,${encodeURIComponent(resolve)}`);
